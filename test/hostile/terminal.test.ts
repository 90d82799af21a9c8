/** What others wrote is quoted to people: it must not steer their terminal, nor pass for words of ours. */
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { renderEventLog } from '../../src/attest/event-log/report.ts';
import { parseReferenceValues } from '../../src/attest/image/reference-values.ts';
import { policyAccepting } from '../../src/attest/policy/policies.ts';
import { parsePolicy } from '../../src/attest/policy/policy.ts';
import { renderVerdict } from '../../src/attest/result/render.ts';
import { bootEvents, GOOD_BOOT } from '../../src/attest/testing/boot-node.ts';
import { grubCommand } from '../../src/attest/testing/event-log-writer.ts';
import { parseReport } from '../../src/protocol/report-document.ts';
import { CodedError, describeError } from '../../src/shared/errors.ts';
import { loadFixture } from '../fixtures/load.ts';
import { attest, booted, judge } from './made-evidence.ts';

/** Clears the screen, says it in green, rings; turns the reading direction; begins a line. */
const EVIL = '\u001b[2J\u001b[1;1H\u001b[32mVOUCHED\u0007\u202e\u009b1m\nVOUCHED\n';
const { reportJson } = loadFixture('p256');

function expectInert(text: string): void {
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(text.split('\n')).not.toContain('VOUCHED');
}

function errorOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return describeError(error);
  }
  throw new Error('was read');
}

describe('the terminal of who judges', () => {
  it.each([
    { name: 'an unknown key', json: reportJson.replace('{', `{${JSON.stringify(EVIL)}:1,`) },
    { name: 'a key further in', json: reportJson.replace('"pcrs": {', `"pcrs": {${JSON.stringify(EVIL)}:{},`) },
    { name: 'no JSON', json: `{"a": ${EVIL}` },
    { name: 'no JSON, at once', json: EVIL },
    { name: 'another format', json: reportJson.replace('cpushare-report', JSON.stringify(EVIL).slice(1, -1)) },
  ])('is not steered by a report with $name', ({ json }) => {
    expectInert(errorOf(() => parseReport(json)));
  });

  it('nor by reference values and policies', () => {
    expectInert(errorOf(() => parseReferenceValues(JSON.stringify({ [EVIL]: 1 }))));
    const policy = policyAccepting(['hardware']);
    expectInert(errorOf(() => parsePolicy(JSON.stringify({ ...policy, [EVIL]: 1 }))));
    expectInert(errorOf(() => parsePolicy(JSON.stringify({ ...policy, acceptedTpmClasses: [EVIL] }))));
  });

  it('nor by the error itself, its causes or its advice', () => {
    const cause = new Error(EVIL, { cause: EVIL });
    expectInert(describeError(new CodedError('X', EVIL, { cause, nextStep: EVIL })));
    expectInert(describeError(EVIL));
  });

  it('nor by the claims of a machine, its GRUB commands or its event log', () => {
    const claims = { clientVersion: EVIL, cpuModel: EVIL, accelerator: { name: 'tcg' as const, reason: EVIL } };
    expectInert(renderVerdict(judge(attest({ claims }))));
    const added = booted([...bootEvents(GOOD_BOOT), grubCommand(EVIL)]);
    expectInert(renderVerdict(judge(added)));
    const text = { pcr: 5, type: EventType.EFI_ACTION, data: new TextEncoder().encode(EVIL) };
    const { eventLog } = booted([text, ...bootEvents(GOOD_BOOT)]);
    expectInert(renderEventLog(parseEventLog(eventLog, { padding: 'refuse' }), crypto));
  });
});
