/** ATTEST-PITFALLS 38 to 41, and 32: banks that must agree, and oddities of firmware that must be named. */
import { describe, expect, it } from 'vitest';
import { HASH_BYTES } from '../../src/attest/crypto/crypto.ts';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { extend } from '../../src/attest/event-log/replay.ts';
import type { PolicyBank } from '../../src/attest/policy/policy.ts';
import { bootEvents, GOOD_BOOT } from '../../src/attest/testing/boot-node.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { LOG_NAMES, loadLog } from '../fixtures/load.ts';
import { bankedLog, quotedOver } from './banked-log.ts';
import { ascii, booted, codeOf, expected, judge } from './made-evidence.ts';

const good = bootEvents(GOOD_BOOT);
const withBanks = (banks: readonly PolicyBank[]) => ({ policy: { ...expected.policy, banks } });
const two = ['sha256', 'sha384'] as const;

/** What the log says of another start than the one that was measured. */
const otherBoot = bootEvents({ ...GOOD_BOOT, initrd: 'another initrd' });

describe('banks', () => {
  it('a quote over two banks of an honest machine is accepted when two are asked for', () => {
    const honest = quotedOver(bankedLog(good, two), two);
    expect(codeOf(judge(honest, withBanks(two)))).toBe('accepted');
  });

  it('pitfall 38: a log without SHA-256, or with another boot behind its SHA-256 than behind its other digests', () => {
    for (const banks of [['sha1'], ['sha384'], ['sha1', 'sha384']] as const) {
      expect(codeOf(judge({ eventLog: bankedLog(good, banks) }))).toBe('EVENT_LOG_BANK_MISSING');
    }
    // the empty SHA-256 bank was filled by the system from a good log, while firmware measured into SHA-1
    const filled = good.map((event, index) => {
      const measured = otherBoot[index]?.measured ?? otherBoot[index]?.data ?? event.data;
      return { ...event, measuredIn: { sha1: measured } };
    });
    const changed = filled.some(({ measuredIn, data, measured }) => measuredIn.sha1 !== (measured ?? data));
    expect(changed).toBe(true);
    const carte = quotedOver(bankedLog([...filled, ...lied()], ['sha1', 'sha256']), ['sha256']);
    expect(codeOf(judge(carte))).toBe('EVENT_LOG_BANKS_DISAGREE');
  });

  it('pitfall 39: a bank closed by an extend of zeros is named, explained and no state of a boot', () => {
    const cap = (bank: PolicyBank, registers: Uint8Array[]): void => {
      for (let pcr = 0; pcr < 10; pcr += 1) {
        registers[pcr] = extend(registers[pcr] ?? new Uint8Array(), new Uint8Array(HASH_BYTES[bank]), bank, crypto);
      }
    };
    for (const capped of two) {
      const made = quotedOver(bankedLog(good, two), two, (bank, registers) => {
        if (bank === capped) cap(bank, registers);
      });
      const verdict = judge(made, withBanks(two));
      expect(codeOf(verdict)).toBe('BANK_CAPPED');
      expect(verdict.banks.find(({ bank }) => bank === capped)?.status).toBe('capped');
    }
  });

  it('pitfall 40: a bank in the quote and not in the log is refused, one in the log alone is listed and proves nothing', () => {
    const lacking = quotedOver(bankedLog(good, ['sha256']), two);
    expect(codeOf(judge(lacking, withBanks(two)))).toBe('EVENT_LOG_BANK_MISSING');
    const more = quotedOver(bankedLog(good, ['sha1', 'sha256', 'sha384']), ['sha256']);
    const verdict = judge(more);
    expect(codeOf(verdict)).toBe('accepted');
    const statuses = Object.fromEntries(verdict.banks.map(({ bank, status }) => [bank, status]));
    expect(statuses).toEqual({ sha256: 'quoted', sha1: 'in-log-only', sha384: 'in-log-only' });
  });

  it.each(two)('pitfall 41: a wrong %s bank is not made good by the other one', (wrong) => {
    const made = quotedOver(bankedLog(good, two), two, (bank, registers) => {
      if (bank === wrong) registers[4] = extend(registers[4] ?? new Uint8Array(), ascii('unseen'), bank, crypto);
    });
    expect(codeOf(judge(made, withBanks(two)))).toBe('EVENT_LOG_REPLAY_MISMATCH');
    // and a quote over one of them is not one over both
    expect(codeOf(judge(quotedOver(bankedLog(good, two), ['sha256']), withBanks(two)))).toBe('QUOTE_SELECTION_WRONG');
  });

  it.each(LOG_NAMES)("pitfall 41: another machine's log (%s) explains no bank of this one", (name) => {
    expect(judge({ eventLog: loadLog(name).log }).status).toBe('refused');
  });
});

describe('oddities of firmware', () => {
  const exit = [
    { pcr: 5, type: EventType.EFI_ACTION, data: ascii('Exit Boot Services Invocation') },
    { pcr: 5, type: EventType.EFI_ACTION, data: ascii('Exit Boot Services Returned with Success') },
  ];
  const text = (data: Uint8Array): string => new TextDecoder().decode(data);
  const silent = good.filter(({ data }) => !text(data).startsWith('Exit Boot Services'));
  const written = (events: typeof good): Uint8Array => booted(events).eventLog;
  const names = (verdict: Verdict): readonly string[] => verdict.workarounds.map(({ name }) => name);

  it('pitfall 32: ExitBootServices missing, logged only, measured only or twice: taken by name, never in silence', () => {
    const honest = booted([...silent, ...exit]);
    expect(codeOf(judge(honest))).toBe('accepted');
    expect(names(judge(honest))).toEqual([]);
    const cases = {
      'exit-boot-services-not-measured': booted(silent),
      'exit-boot-services-repeated': booted([...silent, ...exit, ...exit]),
      'exit-boot-services-not-logged': { ...honest, eventLog: written(silent) },
      'exit-boot-services-only-logged': { ...booted(silent), eventLog: honest.eventLog },
    } as const;
    for (const [name, made] of Object.entries(cases)) {
      const verdict = judge(made);
      expect(codeOf(verdict), name).toBe('accepted');
      expect(names(verdict), name).toContain(name);
      const without = expected.policy.firmwareWorkarounds.filter((each) => each !== name);
      const strict = judge(made, { policy: { ...expected.policy, firmwareWorkarounds: without } });
      expect(strict.status, `${name} not overlooked`).toBe('refused');
    }
    const other = { pcr: 5, type: EventType.EFI_ACTION, data: ascii('Exit Boot Services Returned with Surprise') };
    expect(judge({ ...booted([...silent, ...exit, other]), eventLog: honest.eventLog }).status).toBe('refused');
  });
});

/** Where data binds one bank's digest only: nothing here, the changed events above are files and images. */
function lied() {
  return [
    { pcr: 6, type: EventType.POST_CODE, data: ascii('firmware'), measuredIn: { sha1: ascii('another firmware') } },
  ];
}
