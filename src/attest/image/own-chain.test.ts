/** Our own chain under firmware with oddities: what is overlooked in register 4, and that nothing else is. */
import { describe, expect, it } from 'vitest';
import { appraise } from '../appraise.ts';
import { ACTION } from '../boot/firmware-actions.ts';
import { HARMLESS_WORKAROUNDS } from '../boot/firmware-workarounds.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { EventType } from '../event-log/event-types.ts';
import type { Expected } from '../expected.ts';
import { demoPolicyAcceptingSoftwareTpm as ordinary } from '../policy/policies.ts';
import type { Policy } from '../policy/policy.ts';
import { newMachine } from '../testing/attester-node.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import { image, separator, type WrittenEvent } from '../testing/event-log-writer.ts';
import type { Verdict } from '../verdict.ts';

const challenge = new Uint8Array(32).fill(3);
const brokerId = new Uint8Array(32).fill(4);
const machine = newMachine();
const strict: Policy = { ...ordinary, firmwareWorkarounds: [] };
const expected: Expected = {
  challenge,
  brokerId,
  activation: machine.activation,
  referenceValues: [referenceValuesOf(GOOD_BOOT)],
  trustAnchors: [machine.authority.certificate],
  extraCertificates: [],
  revocationLists: [],
  policy: ordinary,
  time: new Date('2026-11-21T05:00:00Z'),
};

function judge(events: readonly WrittenEvent[], policy: Policy = ordinary): Verdict {
  return appraise(machine.attest({ challenge, brokerId, events }), { ...expected, policy }, crypto);
}
const codeOf = (verdict: Verdict): string =>
  verdict.checks.find(({ status }) => status === 'failed')?.code ?? verdict.status;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const action = (value: string): WrittenEvent => ({ pcr: 4, type: EventType.EFI_ACTION, data: text(value) });
const good = bootEvents(GOOD_BOOT);
const at = (type: number): number => good.findIndex((event) => event.pcr === 4 && event.type === type);
const callAt = at(EventType.EFI_ACTION);
const shimAt = at(EventType.EFI_BOOT_SERVICES_APPLICATION);
const failed = [action(ACTION.return), action(ACTION.call)];

describe('what firmware adds to register 4, or leaves out', () => {
  it.each([
    {
      name: 'one failed boot entry',
      events: good.toSpliced(shimAt, 0, ...failed),
      workaround: 'earlier-boot-entry-failed',
    },
    {
      name: 'three of them',
      events: good.toSpliced(shimAt, 0, ...failed, ...failed, ...failed),
      workaround: 'earlier-boot-entry-failed',
    },
    {
      name: 'a call that was not measured',
      events: good.toSpliced(callAt, 1),
      workaround: 'boot-option-call-not-measured',
    },
  ])('$name: accepted and named, or refused by the policy', ({ events, workaround }) => {
    const verdict = judge(events);
    expect(codeOf(verdict)).toBe('accepted');
    expect(verdict.workarounds).toMatchObject([{ name: workaround }]);
    expect(verdict.image?.version).toBe('0.1.0');
    const refused = judge(events, strict);
    expect(codeOf(refused)).toBe('FIRMWARE_WORKAROUND_REFUSED');
    expect(refused.workarounds).toEqual([]);
  });

  const evil = image(text('evil'));
  it.each([
    { name: 'an image before the failed entry returned', events: good.toSpliced(shimAt, 0, evil, ...failed) },
    {
      name: 'an image between return and call',
      events: good.toSpliced(shimAt, 0, action(ACTION.return), evil, action(ACTION.call)),
    },
    {
      name: 'that image called a separator',
      events: good.toSpliced(shimAt, 0, { ...evil, type: EventType.SEPARATOR }, ...failed),
    },
    { name: 'a failed entry behind shim', events: good.toSpliced(shimAt + 1, 0, ...failed) },
    { name: 'a return without a call', events: good.toSpliced(shimAt, 0, action(ACTION.return)) },
    { name: 'a second call', events: good.toSpliced(shimAt, 0, action(ACTION.call)) },
    { name: 'a second separator', events: good.toSpliced(shimAt, 0, separator(4)) },
    { name: 'a call that was not measured, and an image in its place', events: good.with(callAt, evil) },
    {
      name: 'another text than the constant',
      events: good.with(callAt, action('Calling EFI Application from Boot Option!')),
    },
  ])('$name: never', ({ events }) => {
    for (const policy of [ordinary, strict, { ...ordinary, firmwareWorkarounds: HARMLESS_WORKAROUNDS }]) {
      expect(judge(events, policy).status).toBe('refused');
    }
  });
});

describe('a policy that cannot be judged by', () => {
  it.each([
    { name: 'without the bank of the reference values', policy: { ...ordinary, banks: ['sha384'] as const } },
    { name: 'with registers out of order', policy: { ...ordinary, pcrs: ordinary.pcrs.toReversed() } },
  ])('$name is refused before anything is read', ({ policy }) => {
    expect(() => judge(good, policy)).toThrow(expect.objectContaining({ code: 'EXPECTED_INVALID' }));
  });
});

describe('several releases', () => {
  it('the one whose registers fit names the image, wherever it stands', () => {
    const next = referenceValuesOf({ ...GOOD_BOOT, initrd: 'next' }, '0.2.0');
    const old = referenceValuesOf(GOOD_BOOT);
    const evidence = machine.attest({ challenge, brokerId, boot: { ...GOOD_BOOT, initrd: 'next' } });
    for (const referenceValues of [
      [old, next],
      [next, old],
    ] as const) {
      expect(appraise(evidence, { ...expected, referenceValues: [...referenceValues] }, crypto).image?.version).toBe(
        '0.2.0',
      );
    }
  });
});
