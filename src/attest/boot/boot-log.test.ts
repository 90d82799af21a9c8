/** Registers explained bank by bank, and the event named where a log diverges from what was quoted. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import type { HashName } from '../crypto/crypto.ts';
import { HASH_BYTES } from '../crypto/crypto.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { EventType } from '../event-log/event-types.ts';
import { type EventLog, parseEventLog } from '../event-log/parse.ts';
import { extend, initialPcr, replayBank } from '../event-log/replay.ts';
import { newLedger } from '../ledger.ts';
import type { Policy, PolicyBank } from '../policy/policy.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import { type WrittenEvent, writeEventLog } from '../testing/event-log-writer.ts';
import type { Check } from '../verdict.ts';
import { type BootLogJudgement, judgeBootLog } from './boot-log.ts';
import { ACTION } from './firmware-actions.ts';
import { HARMLESS_WORKAROUNDS, ORDINARY_WORKAROUNDS } from './firmware-workarounds.ts';

const CHECKS = ['boot-measured', 'event-log-format', 'event-log-replay', 'event-log-rules'] as const;
const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14];

type Registers = Map<PolicyBank, Map<number, Uint8Array>>;

/** Registers after a log, as a TPM would hold them. */
function registersOf(log: EventLog, banks: readonly PolicyBank[] = ['sha256']): Registers {
  return new Map(
    banks.map((bank) => {
      const pcrs = replayBank(log, bank, crypto)?.pcrs;
      return [bank, new Map(REGISTERS.map((pcr) => [pcr, pcrs?.get(pcr) ?? initialPcr(pcr, bank)]))];
    }),
  );
}

function judge(
  bytes: Uint8Array,
  quoted: Registers,
  policy: Partial<Pick<Policy, 'firmwareWorkarounds'>> = {},
): BootLogJudgement & { readonly failed: Check | undefined } {
  const ledger = newLedger([...CHECKS]);
  const expectation = {
    policy: { banks: [...quoted.keys()], firmwareWorkarounds: ORDINARY_WORKAROUNDS, ...policy },
    referenceValues: [referenceValuesOf(GOOD_BOOT)],
  };
  const judgement = judgeBootLog(bytes, quoted, expectation, crypto, ledger);
  return { ...judgement, failed: ledger.checks().find(({ status }) => status === 'failed') };
}

const good = bootEvents(GOOD_BOOT);
const written = writeEventLog(good, crypto);
const parsed = (events: readonly WrittenEvent[]): EventLog =>
  parseEventLog(writeEventLog(events, crypto), { padding: 'refuse' });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const action = (pcr: number, value: string): WrittenEvent => ({ pcr, type: EventType.EFI_ACTION, data: text(value) });

/** Register 6 belongs to the maker: nothing is expected of it, so every explanation has to come from the search. */
const own = ['one', 'two', 'three', 'four', 'five'].map(
  (each): WrittenEvent => ({ pcr: 6, type: EventType.POST_CODE, data: text(each) }),
);
/** The log is `logged`, the TPM measured `measured`. */
const diverging = (logged: readonly WrittenEvent[], measured: readonly WrittenEvent[]) =>
  judge(writeEventLog([...logged, ...good], crypto), registersOf(parsed([...measured, ...good]))).failed;

describe('the first event that diverges', () => {
  it.each([
    {
      what: 'an event that was not measured',
      logged: own,
      measured: own.toSpliced(2, 1),
      says: 'event 3 .* was not measured$',
    },
    {
      what: 'an event measured twice',
      logged: own,
      measured: own.toSpliced(2, 0, own[2] as WrittenEvent),
      says: 'event 3 .* was measured twice, and is logged once$',
    },
    {
      what: 'two events in the other order',
      logged: own,
      measured: [own[0], own[2], own[1], own[3], own[4]] as WrittenEvent[],
      says: 'event 2 .* and the one after it were measured the other way round$',
    },
    {
      what: 'a digest that is not that of the data',
      logged: own.with(3, { ...(own[3] as WrittenEvent), measured: text('another') }),
      measured: own,
      says: 'event 4 .* is logged with another digest than its data has$',
    },
  ])('$what', ({ logged, measured, says }) => {
    const failed = diverging(logged, measured);
    expect(failed).toMatchObject({ code: 'EVENT_LOG_REPLAY_MISMATCH', difference: { component: 'register 6' } });
    const [, number] = /event (\d) /.exec(says) ?? [];
    expect(failed?.difference?.event).toBe(Number(number));
    expect(failed?.sentence.slice(0, -1)).toMatch(new RegExp(says));
  });

  it('everything from one event on that was not measured', () => {
    const quoted = registersOf(parsed(good));
    const later: WrittenEvent = { pcr: 6, type: EventType.POST_CODE, data: text('later') };
    const failed = judge(writeEventLog([...good, later, later], crypto), quoted).failed;
    expect(failed?.sentence).toMatch(/register 6: event \d+ \(EV_POST_CODE\) and all after it were not measured/);
    expect(failed?.difference?.event).toBe(good.length + 1);
  });

  it('a last action of the firmware that is not in the log', () => {
    const measured = registersOf(parsed([...good, action(3, ACTION.return)]));
    expect(judge(written, measured).failed?.sentence).toContain('a last action of the firmware was measured');
  });

  it('says so when no single event explains it', () => {
    const failed = diverging(own, [{ pcr: 6, type: EventType.POST_CODE, data: text('quite another') }]);
    expect(failed?.sentence).toContain(
      'no single event explains it; the first event that cannot be confirmed is event',
    );
    const lying = own.with(1, { ...action(6, 'said'), measured: text('measured') });
    const both = judge(writeEventLog([...lying, ...good], crypto), registersOf(parsed(good))).failed;
    expect(both?.sentence).toContain('event 2 (EV_EFI_ACTION) contradicts its own digest');
  });

  it.each([
    { pcr: 8, name: 'GRUB command' },
    { pcr: 4, name: 'shim' },
    { pcr: 9, name: 'initrd' },
    { pcr: 14, name: 'MOK list' },
  ])('a log that is not the one of the release whose register $pcr was quoted', ({ pcr, name }) => {
    const others = {
      ...GOOD_BOOT,
      shim: 'another',
      initrd: 'another',
      mokList: 'another',
      parameters: `${GOOD_BOOT.parameters} debug`,
    };
    const good4 = registersOf(parsed(good));
    const log = parsed(bootEvents(others));
    const quoted = registersOf(log);
    quoted.get('sha256')?.set(pcr, good4.get('sha256')?.get(pcr) ?? new Uint8Array());
    const failed = judge(writeEventLog(bootEvents(others), crypto), quoted).failed;
    expect(failed?.sentence).toContain(
      `register ${pcr}: the register is that of cpushare-seller 0.1.0, the log is not`,
    );
    expect(failed?.sentence).toMatch(
      pcr === 9 ? /stands where (grub.cfg|initrd) was measured/ : new RegExp(`stands where ${name} was measured`),
    );
  });

  it.each([
    {
      name: 'the log of a release, and a register that is not',
      initrd: GOOD_BOOT.initrd,
      says: 'the log is that of cpushare-seller 0.1.0, and something else was measured',
    },
    {
      name: 'a log that differs from it',
      initrd: 'another',
      says: 'beside cpushare-seller 0.1.0, the log first differs at event',
    },
  ])('without an explanation, says where the log leaves the closest release: $name', ({ initrd, says }) => {
    const events = bootEvents({ ...GOOD_BOOT, initrd });
    const quoted = registersOf(parsed(events));
    quoted.get('sha256')?.set(9, new Uint8Array(32).fill(7));
    const { failed } = judge(writeEventLog(events, crypto), quoted);
    expect(failed).toMatchObject({ code: 'EVENT_LOG_REPLAY_MISMATCH', difference: { component: 'register 9' } });
    expect(failed?.sentence).toContain(`no single event explains it; ${says}`);
    expect(failed?.difference?.event).toBeGreaterThan(0);
  });

  it('is found in bounded work, however long the log', () => {
    let hashes = 0;
    const hash = (name: HashName, data: Uint8Array): Uint8Array => {
      hashes += 1;
      return crypto.hash(name, data);
    };
    const counting = { ...crypto, hash };
    const many = Array.from(
      { length: 2000 },
      (_, number): WrittenEvent => ({ pcr: 6, type: EventType.POST_CODE, data: text(`${number}`) }),
    );
    const bytes = writeEventLog([...good, ...many], crypto);
    const ledger = newLedger([...CHECKS]);
    const expectation = {
      policy: { banks: ['sha256' as const], firmwareWorkarounds: [] },
      referenceValues: [referenceValuesOf(GOOD_BOOT)],
    };
    judgeBootLog(bytes, registersOf(parsed([...many.toReversed(), ...good])), expectation, counting, ledger);
    expect(ledger.checks().find(({ status }) => status === 'failed')?.code).toBe('EVENT_LOG_REPLAY_MISMATCH');
    expect(hashes).toBeLessThan(40_000);
  });
});

describe('ExitBootServices', () => {
  const without = good.filter(({ data }) => !new TextDecoder().decode(data).startsWith('Exit Boot'));
  it.each([
    { name: 'exit-boot-services-not-logged', logged: without, measured: good },
    { name: 'exit-boot-services-only-logged', logged: good, measured: without },
    { name: 'exit-boot-services-not-measured', logged: without, measured: without },
  ] as const)('$name: accepted, named, and refused where the policy does not name it', ({ name, logged, measured }) => {
    const quoted = registersOf(parsed(measured));
    const accepted = judge(writeEventLog(logged, crypto), quoted);
    expect(accepted.failed).toBeUndefined();
    expect(accepted.workarounds).toMatchObject([{ name }]);
    const refused = judge(writeEventLog(logged, crypto), quoted, { firmwareWorkarounds: [] });
    expect(refused.failed).toMatchObject({ code: 'FIRMWARE_WORKAROUND_REFUSED' });
    expect(refused.failed?.remedy).toContain(name);
  });

  it('nothing but these constants is added or left out', () => {
    const extra = [...without, action(5, 'Exit Boot Services Invocation!')];
    expect(judge(writeEventLog(without, crypto), registersOf(parsed(extra))).failed?.code).toBe(
      'EVENT_LOG_REPLAY_MISMATCH',
    );
    expect(judge(writeEventLog(extra, crypto), registersOf(parsed(without))).failed?.code).toBe(
      'EVENT_LOG_REPLAY_MISMATCH',
    );
  });
});

describe('rules', () => {
  it.each([
    { pcr: 3, data: text('WBCL'), name: 'separator-windows-wbcl' },
    { pcr: 1, data: Uint8Array.of(0xff), name: 'separator-one-byte' },
    { pcr: 6, data: text('skiboot'), name: 'separator-skiboot' },
  ])('$name only where the policy names it', ({ pcr, data, name }) => {
    const events = good.map((event) =>
      event.pcr === pcr && event.type === EventType.SEPARATOR ? { ...event, data } : event,
    );
    const quoted = registersOf(parsed(events));
    const bytes = writeEventLog(events, crypto);
    expect(judge(bytes, quoted).failed?.code).toBe('FIRMWARE_REPORTED_ERROR');
    const overlooked = judge(bytes, quoted, { firmwareWorkarounds: HARMLESS_WORKAROUNDS });
    expect(overlooked).toMatchObject({ failed: undefined, workarounds: [{ name }] });
  });

  it('a second separator of other data is never overlooked', () => {
    const error = { pcr: 2, type: EventType.SEPARATOR, data: Uint8Array.of(1, 0, 0, 0) };
    for (const events of [
      [error, ...good],
      [...good, error],
    ]) {
      const { failed } = judge(writeEventLog(events, crypto), registersOf(parsed(events)), {
        firmwareWorkarounds: HARMLESS_WORKAROUNDS,
      });
      expect(['EVENT_LOG_RULE_BROKEN', 'FIRMWARE_REPORTED_ERROR']).toContain(failed?.code);
    }
  });

  it('padding of at least an event, and only where the policy names it', () => {
    const quoted = registersOf(parsed(good));
    const padded = concatBytes(written, new Uint8Array(4096).fill(0xff));
    expect(judge(padded, quoted).failed?.code).toBe('EVENT_LOG_TRAILING_BYTES');
    const policy = { firmwareWorkarounds: HARMLESS_WORKAROUNDS };
    expect(judge(padded, quoted, policy)).toMatchObject({ failed: undefined, workarounds: [{ name: 'log-padding' }] });
    expect(judge(concatBytes(written, new Uint8Array(3)), quoted, policy).failed?.code).toBe(
      'EVENT_LOG_TRAILING_BYTES',
    );
  });
});

describe('banks', () => {
  it('a bank that is quoted and not in the log is refused', () => {
    const quoted = registersOf(parsed(good));
    quoted.set('sha384', new Map(REGISTERS.map((pcr) => [pcr, new Uint8Array(48)])));
    const { failed, banks } = judge(written, quoted);
    expect(failed).toMatchObject({ name: 'event-log-replay', code: 'EVENT_LOG_BANK_MISSING' });
    expect(banks.map(({ bank }) => bank)).toEqual(['sha256', 'sha384', 'sha1']);
  });

  it('a bank that is in the log and not quoted is named', () => {
    expect(judge(written, registersOf(parsed(good))).banks).toMatchObject([
      { bank: 'sha256', status: 'quoted' },
      { bank: 'sha1', status: 'in-log-only' },
    ]);
  });

  it('a digest of one bank that is not of the same data as the other bank', () => {
    const quoted = registersOf(parsed(good));
    let contradicted = 0;
    const log = parsed(good);
    for (const { number, digests } of log.events) {
      const sha1 = digests.get('sha1');
      if (sha1 === undefined || number === 0) continue;
      const changed = Uint8Array.from(written);
      const at = positionOf(changed, sha1);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const { failed } = judge(changed, quoted);
      if (failed === undefined) continue; // the data of images and files binds no digest
      expect(failed.code).toBe('EVENT_LOG_BANKS_DISAGREE');
      contradicted += 1;
    }
    expect(contradicted).toBeGreaterThan(15);
  });
});

function positionOf(bytes: Uint8Array, part: Uint8Array): number {
  return Buffer.from(bytes).indexOf(part);
}

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const THREE_BANKS = [
  'google_go-tpm-tools/rhel8-uefi.eventlog.bin',
  'google_go-tpm-tools/ubuntu-2104-no-dbx.eventlog.bin',
  'google_go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog.eventlog.bin',
];

describe.skipIf(!present)(
  present ? 'real logs of three banks' : 'real logs of three banks (skipped: no vectors)',
  () => {
    const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, vectors)));
    const quotedOf = (bytes: Uint8Array): Registers =>
      registersOf(parseEventLog(bytes, { padding: 'refuse' }), ['sha256', 'sha384']);

    it.each(THREE_BANKS)('%s: every quoted bank passes', (path) => {
      const { failed, banks } = judge(read(path), quotedOf(read(path)));
      expect(failed).toBeUndefined();
      expect(banks.map(({ bank, status }) => `${bank} ${status}`)).toEqual([
        'sha256 quoted',
        'sha384 quoted',
        'sha1 in-log-only',
      ]);
      expect(banks.map(({ sentence }) => sentence.includes('10 and 12'))).toEqual([false, true, false]);
    });

    it.each(THREE_BANKS)('%s: one bank that does not fit is enough, in each register', (path) => {
      for (const bank of ['sha256', 'sha384'] as const) {
        for (const pcr of REGISTERS) {
          const quoted = quotedOf(read(path));
          const value = Uint8Array.from(quoted.get(bank)?.get(pcr) ?? []);
          value[5] = (value[5] ?? 0) ^ 4;
          quoted.get(bank)?.set(pcr, value);
          expect(['EVENT_LOG_REPLAY_MISMATCH', 'PCR_UNEXPLAINED']).toContain(judge(read(path), quoted).failed?.code);
        }
      }
    });

    it.each(THREE_BANKS)('%s: a bank closed with zeros is named and no state of a boot', (path) => {
      const quoted = quotedOf(read(path));
      const zeros = new Uint8Array(HASH_BYTES.sha384);
      for (const [pcr, value] of quoted.get('sha384') ?? []) {
        quoted.get('sha384')?.set(pcr, extend(value, zeros, 'sha384', crypto));
      }
      const { failed, banks } = judge(read(path), quoted);
      expect(failed).toMatchObject({ code: 'BANK_CAPPED', family: 'policy' });
      expect(banks.find(({ bank }) => bank === 'sha384')?.status).toBe('capped');
    });
  },
);
