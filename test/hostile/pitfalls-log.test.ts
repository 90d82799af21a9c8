/** ATTEST-PITFALLS 18 to 37: the event log. Types are never covered by a digest, data only where its rule says so. */
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { decodeEvent } from '../../src/attest/event-log/decode.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { LogError } from '../../src/attest/event-log/little-endian.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { initialPcr, replayBank } from '../../src/attest/event-log/replay.ts';
import { bootEvents, GOOD_BOOT } from '../../src/attest/testing/boot-node.ts';
import type { WrittenEvent } from '../../src/attest/testing/event-log-writer.ts';
import * as log from '../../src/attest/testing/event-log-writer.ts';
import { encodeEvidence } from '../../src/protocol/evidence-document.ts';
import { encodeReport, parseReport } from '../../src/protocol/report-document.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { ascii, booted, broker, brokerId, challenge, codeOf, evidence, judge, machine } from './made-evidence.ts';

const good = bootEvents(GOOD_BOOT);
const goodVerdict = judge();
/** The log alone is another one; the quoted registers stay those of the good boot. */
const withLog = (events: readonly WrittenEvent[]) => judge({ eventLog: log.writeEventLog(events, crypto) });
/** What is said in place of what was measured: the digest stays. */
const lying = (event: WrittenEvent, data: Uint8Array): WrittenEvent => ({
  ...event,
  data,
  measured: event.measured ?? event.data,
});
const find = (pick: (event: WrittenEvent) => boolean): number => {
  const index = good.findIndex(pick);
  if (index === -1) throw new Error('the good boot has no such event');
  return index;
};
const text = ({ data }: WrittenEvent): string => new TextDecoder().decode(data);
const isImage = (event: WrittenEvent): boolean => event.type === EventType.EFI_BOOT_SERVICES_APPLICATION;
const isCommand = (event: WrittenEvent): boolean => text(event).startsWith('grub_cmd: ');
const isCommandLine = (event: WrittenEvent): boolean => text(event).startsWith('kernel_cmdline: ');

describe('event log', () => {
  it('pitfall 18: an event under another type still replays, and changes nothing that is said', {
    timeout: 60_000,
  }, () => {
    const types = Object.values(EventType);
    expect(types.length).toBeGreaterThan(20);
    for (const [index, event] of good.entries()) {
      for (const type of types) {
        if (type === event.type || type === EventType.NO_ACTION) continue;
        const verdict = withLog(good.with(index, { ...event, type }));
        if (verdict.status === 'accepted') expect(said(verdict)).toEqual(said(goodVerdict));
      }
      const hidden = withLog(good.with(index, { ...event, type: EventType.NO_ACTION }));
      expect(hidden.status, `event ${index} hidden as NO_ACTION`).toBe('refused');
    }
  });

  it('pitfall 19: paths and names that no digest covers reach neither verdict nor difference', () => {
    const hearsay = 'C:\\evil-loader.efi';
    const unproven = good.map((event) => {
      if (isImage(event)) return lying(event, concatBytes(event.data.subarray(0, 32), log.utf16(hearsay)));
      if (event.pcr === 9 && event.type === EventType.IPL) return lying(event, ascii(`${hearsay}\0`));
      return event;
    });
    const verdict = withLog(unproven);
    expect(JSON.stringify(verdict)).not.toContain('evil-loader');
    if (verdict.status === 'accepted') expect(said(verdict)).toEqual(said(goodVerdict));
    const other = unproven.map((event) =>
      event.pcr === 9 ? { ...event, measured: ascii(`another file ${text(event)}`) } : event,
    );
    expect(codeOf(judge(booted(other)))).not.toBe('accepted');
    expect(JSON.stringify(judge(booted(other)))).not.toContain('evil-loader');
  });

  it("pitfall 20: GRUB's text changed while the digest is kept", () => {
    for (const [index, event] of good.entries()) {
      if (!isCommand(event) && !isCommandLine(event)) continue;
      for (const [said, measured] of [
        [`${text(event).slice(0, 15)} init=/bin/sh\0`, event.measured],
        [text(event).slice(0, -2), event.measured],
        [text(event), ascii('what the kernel really got')],
      ] as const) {
        const lie = { ...event, data: ascii(said), measured: measured ?? event.data };
        const kept = withLog(good.with(index, lie));
        expect(kept.status).toBe('refused');
        expect(JSON.stringify(kept)).not.toContain('init=/bin/sh');
        expect(codeOf(judge(booted(good.with(index, lie))))).toBe('EVENT_LOG_RULE_BROKEN');
      }
    }
  });

  it.each([
    { name: 'a second command line', added: log.kernelCommandLine('/boot/vmlinuz quiet init=/bin/sh') },
    { name: 'a command with a forged prefix in it', added: log.grubCommand('echo kernel_cmdline: /boot/vmlinuz') },
    {
      name: 'a command with a second line',
      added: log.grubCommand('boot\nkernel_cmdline: /boot/vmlinuz init=/bin/sh'),
    },
    {
      name: 'the command line again',
      added: log.kernelCommandLine(text(good[find(isCommandLine)] as WrittenEvent).slice(16, -1)),
    },
  ])('pitfall 21: $name is one event too many', ({ added }) => {
    const at = find(isCommandLine);
    for (const events of [good.toSpliced(at, 0, added), good.toSpliced(at + 1, 0, added), [...good, added]]) {
      expect(judge(booted(events)).status).toBe('refused');
    }
    const decoded = decodeEvent(
      { number: 0, pcr: 8, type: EventType.IPL, digests: new Map(), data: added.data },
      'sha256',
      crypto,
    );
    const wanted = text(added).startsWith('grub_cmd: ') ? 'grub-command' : 'kernel-command-line';
    expect(decoded.detail.kind).toBe(wanted);
  });

  it('pitfall 22: prefix variants and empty bodies neither crash nor bind what is not there', () => {
    const prefixes = [
      'grub_cmd: ',
      'grub_cmd ',
      'kernel_cmdline: ',
      'grub_kernel_cmdline ',
      'kernel_cmdline ',
      'grub_cmd',
    ];
    for (const prefix of prefixes) {
      for (const body of ['', '\0', '\0\0', 'x', 'x\0']) {
        const data = ascii(prefix + body);
        for (const digest of [crypto.hash('sha256', ascii('other')), crypto.hash('sha256', new Uint8Array())]) {
          const digests = new Map([['sha256', digest]]);
          const decoded = decodeEvent({ number: 0, pcr: 8, type: EventType.IPL, digests, data }, 'sha256', crypto);
          if (body.startsWith('x')) expect(decoded.trust).toBe('unproven');
        }
        const added = { pcr: 8, type: EventType.IPL, data };
        expect(judge(booted([...good, added])).status).toBe('refused');
      }
    }
  });

  it('pitfall 23: NO_ACTION extends nothing, and must not look as if it did', () => {
    const silent: WrittenEvent = { pcr: 8, type: EventType.NO_ACTION, data: ascii('said, not measured') };
    expect(said(withLog([...good, silent]))).toEqual(said(goodVerdict));
    const bytes = log.writeEventLog([...good, silent], crypto);
    const withDigest = Uint8Array.from(bytes);
    withDigest[bytes.length - silent.data.length - 4 - 1] = 1; // the last byte of its sha256 digest
    expect(codeOf(judge({ eventLog: withDigest }))).toBe('EVENT_LOG_RULE_BROKEN');
  });

  const locality = (data: Uint8Array, pcr = 0): WrittenEvent => ({ pcr, type: EventType.NO_ACTION, data });
  const three = concatBytes(ascii('StartupLocality\0'), Uint8Array.of(3));
  it.each([
    { name: 'padded', events: [locality(concatBytes(three, new Uint8Array(3))), ...good] },
    { name: 'cut', events: [locality(three.slice(0, 16)), ...good] },
    { name: 'twice', events: [locality(three), locality(three), ...good] },
    { name: 'of another register', events: [locality(three, 1), ...good] },
    { name: 'behind the first extend', events: [...good, locality(three)] },
    { name: 'of a value that no TPM has', events: [locality(three.with(16, 7)), ...good] },
    { name: 'stated for a machine that did not start so', events: [locality(three), ...good] },
  ])('pitfall 24: a start-up locality $name is refused', ({ events }) => {
    expect(withLog(events).status).toBe('refused');
  });

  it('pitfall 25: the registers of a dynamic launch start with ones, all others with zeros', () => {
    for (let pcr = 0; pcr < 24; pcr += 1) {
      const start = pcr >= 17 && pcr <= 22 ? 0xff : 0;
      for (const bank of ['sha1', 'sha256', 'sha384'] as const) {
        expect(initialPcr(pcr, bank).every((byte) => byte === start)).toBe(true);
      }
    }
  });

  it('pitfall 26: cut at every length, counts and sizes too large, algorithms not in the header: refused', () => {
    const whole = evidence.eventLog;
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      // between two events it is a log, and one that does not lead to the registers
      if (readable(cut)) expect(judge({ eventLog: cut }).status).toBe('refused');
    }
    const header = 32 + 37;
    for (const [offset, code] of [
      [8, 'EVENT_LOG_MALFORMED'], // digest count
      [12, 'EVENT_LOG_MALFORMED'], // first algorithm
      [8 + 4 + 22 + 34, 'EVENT_LOG_TRUNCATED'], // data size
    ] as const) {
      for (const value of [0xffffffff, 0x7fffffff, 0x00ffffff]) {
        const bytes = Uint8Array.from(whole);
        new DataView(bytes.buffer).setUint32(header + offset, value, true);
        expect(codeOf(judge({ eventLog: bytes }))).toBe(code);
      }
    }
  });

  it('pitfall 27: an empty log explains nothing, however plausible the registers', () => {
    expect(codeOf(judge({ eventLog: new Uint8Array() }))).toBe('EVENT_LOG_MISSING');
    expect(withLog([]).status).toBe('refused');
  });

  it('pitfall 28: a quoted register that is not initial and has no event', () => {
    const extra: WrittenEvent = { pcr: 11, type: EventType.IPL, data: ascii('unseen') };
    const grown = booted([...good, extra]);
    expect(codeOf(judge({ ...grown, eventLog: log.writeEventLog(good, crypto) }))).toBe('PCR_UNEXPLAINED');
    for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14]) {
      expect(withLog(good.filter((event) => event.pcr !== pcr)).status).toBe('refused');
    }
  });

  it('pitfall 29: events of registers outside the quote are never used for a claim', () => {
    for (const pcr of [16, 17, 22, 23]) {
      const outside = [
        { ...log.kernelCommandLine('/evil'), pcr },
        { ...log.grubCommand('evil'), pcr },
        { ...log.variable('SecureBoot', Uint8Array.of(0)), pcr },
        { ...log.separator(pcr), data: Uint8Array.of(1, 0, 0, 0) },
      ];
      for (const event of outside) {
        const verdict = withLog([event, ...good, event]);
        if (verdict.status === 'accepted') expect(said(verdict)).toEqual(said(goodVerdict));
        expect(JSON.stringify(verdict)).not.toContain('evil');
      }
    }
  });

  it.each([
    { name: 'missing', change: () => [] },
    { name: 'twice', change: (event: WrittenEvent) => [event, event] },
    { name: 'an error value', change: (event: WrittenEvent) => [{ ...event, data: Uint8Array.of(1, 0, 0, 0) }] },
    { name: 'WBCL', change: (event: WrittenEvent) => [{ ...event, data: ascii('WBCL') }] },
    { name: 'one byte ff', change: (event: WrittenEvent) => [{ ...event, data: Uint8Array.of(0xff) }] },
    { name: 'skiboot', change: (event: WrittenEvent) => [{ ...event, data: ascii('skiboot') }] },
    { name: 'zeros that were not measured', change: (event: WrittenEvent) => [{ ...event, measured: ascii('x') }] },
  ])('pitfall 30: a separator that is $name is refused, in each firmware register', ({ change }) => {
    for (let pcr = 0; pcr < 8; pcr += 1) {
      const at = find((event) => event.pcr === pcr && event.type === EventType.SEPARATOR);
      const events = good.toSpliced(at, 1, ...change(good[at] as WrittenEvent));
      expect(['EVENT_LOG_RULE_BROKEN', 'FIRMWARE_REPORTED_ERROR', 'SECURE_BOOT_UNPROVEN']).toContain(
        codeOf(judge(booted(events))),
      );
    }
  });

  it('pitfall 31: an application before the boot manager calls one', () => {
    const call = find((event) => text(event) === 'Calling EFI Application from Boot Option');
    const early = log.image(ascii('an option ROM in register 4'));
    expect(judge(booted(good.toSpliced(call, 0, early))).status).toBe('refused');
    const shim = find(isImage);
    const moved = [
      ...good.slice(0, call),
      good[shim] as WrittenEvent,
      ...good.slice(call).filter((e) => e !== good[shim]),
    ];
    expect(judge(booted(moved)).status).toBe('refused');
  });

  it.each([
    {
      name: 'PK twice',
      events: good.toSpliced(find((event) => event.pcr === 7) + 2, 0, log.variable('PK', ascii('keys of PK'))),
    },
    {
      name: 'an unknown variable',
      events: good.toSpliced(find((event) => event.pcr === 7) + 2, 0, log.variable('Mine', ascii('x'))),
    },
    {
      name: 'an action in front',
      events: [{ pcr: 7, type: EventType.EFI_ACTION, data: ascii('DMA Protection Disabled') }, ...good],
    },
    { name: 'an unknown type at the end', events: [...good, { pcr: 7, type: EventType.IPL, data: ascii('x') }] },
  ])('pitfall 33: register 7 with $name leaves doubt', ({ events }) => {
    expect(judge(booted(events)).status).toBe('refused');
  });

  it('pitfall 34: an authority one byte short is taken only in the shape old shims wrote', () => {
    const authority = find((event) => event.type === EventType.EFI_VARIABLE_AUTHORITY);
    const { data } = good[authority] as WrittenEvent;
    for (const measured of [data.slice(0, -1), data.slice(1), data.slice(0, -2), data.slice(32)]) {
      const events = good.with(authority, { ...(good[authority] as WrittenEvent), measured });
      expect(codeOf(judge(booted(events)))).toBe('SECURE_BOOT_UNPROVEN');
    }
    const surplus = concatBytes(data, new Uint8Array(6));
    const old = { ...(good[authority] as WrittenEvent), data: surplus, measured: surplus.slice(0, -1) };
    expect(codeOf(judge(booted(good.with(authority, old))))).toBe('accepted');
    const sameElsewhere = { ...log.variable('db', ascii('keys of db')) };
    const cut = { ...sameElsewhere, measured: sameElsewhere.data.slice(0, -1) };
    const db = find((event) => event.pcr === 7 && text(event).includes('d\0b\0') && !text(event).includes('d\0b\0x\0'));
    expect(codeOf(judge(booted(good.with(db, cut))))).toBe('SECURE_BOOT_UNPROVEN');
  });

  it.each([8, 9, 11, 13, 14, 15])(
    'pitfall 35: what user space extends into register %i after the boot is refused',
    (pcr) => {
      const later: WrittenEvent = { pcr, type: EventType.IPL, data: ascii('enter-initrd') };
      expect(judge(booted([...good, later])).status).toBe('refused');
      expect(judge({ ...booted([...good, later]), eventLog: evidence.eventLog }).status).toBe('refused');
    },
  );

  it('pitfall 36: the image is known by its digests, wherever other registers put their events', () => {
    const rom = { pcr: 2, type: EventType.EFI_BOOT_SERVICES_DRIVER, data: ascii('option ROM') };
    const more = judge(booted([rom, rom, ...good]));
    expect(more).toMatchObject({ status: 'accepted', image: goodVerdict.image });
    const images = [...good.keys()].filter((index) => isImage(good[index] as WrittenEvent));
    const [shim = 0, grub = 0] = images;
    const swapped = good.with(shim, good[grub] as WrittenEvent).with(grub, good[shim] as WrittenEvent);
    expect(judge(booted(swapped))).toMatchObject({ status: 'refused', image: null });
  });

  it('pitfall 37: only the raw log is read: there is no place for events or claims that the prover parsed', () => {
    const machineId = 'ab'.repeat(32);
    const receivedAt = '2026-11-21T04:00:00.000Z';
    const activation = machine.transcript(broker);
    const document = encodeReport({ machineId, brokerId, challenge, receivedAt, evidence, activation }, goodVerdict);
    const parsed = { events: [{ pcr: 4, type: 'shim' }] };
    for (const extra of [parsed, { replayed: {} }, { secureBoot: true }]) {
      const padded = { ...document, evidence: { ...document.evidence, ...extra } };
      expect(() => parseReport(JSON.stringify(padded))).toThrow(expect.objectContaining({ code: 'REPORT_MALFORMED' }));
    }
    // the verdict inside a report is the broker's opinion and is not read back
    const opinion = { ...document, verdict: { ...(document.verdict as object), status: 'refused' } };
    expect(encodeEvidence(parseReport(JSON.stringify(opinion)).evidence)).toEqual(document.evidence);
    expect(Object.keys(parseReport(JSON.stringify(document)))).not.toContain('verdict');
  });

  it('replays nothing for a bank that the log has no digests of', () => {
    expect(replayBank(parseEventLog(evidence.eventLog, { padding: 'refuse' }), 'sha384', crypto)).toBeNull();
  });
});

function readable(bytes: Uint8Array): boolean {
  try {
    parseEventLog(bytes, { padding: 'refuse' });
    return true;
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

/** What a verdict tells a relying party; the number of events in a sentence is not one. */
function said({ checks, ...rest }: ReturnType<typeof judge>) {
  return { ...rest, checks: checks.map(({ name, status, code }) => ({ name, status, code })) };
}
