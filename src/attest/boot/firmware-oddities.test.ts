/** Which known oddities each real log has (../shared/vectors, where it is at hand), and each oddity made one at a time. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import { parseEventLog } from '../event-log/parse.ts';
import { bootEvents, GOOD_BOOT } from '../testing/boot-node.ts';
import { separator, type WrittenEvent, writeEventLog } from '../testing/event-log-writer.ts';
import { ACTION } from './firmware-actions.ts';
import { bankContradiction } from './firmware-banks.ts';
import { type ExitBootServices, findOddities } from './firmware-oddities.ts';
import { WORKAROUND_NAMES } from './firmware-workaround-names.ts';
import { FIRMWARE_WORKAROUNDS, HARMLESS_WORKAROUNDS, ORDINARY_WORKAROUNDS } from './firmware-workarounds.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);

/** Name and event number of each oddity; and whether the banks of the log contradict each other. */
function look(bytes: Uint8Array, exitBootServices: ExitBootServices = 'as-logged') {
  const log = parseEventLog(bytes, { padding: 'allow', workarounds: ['startup-locality-padded'] });
  const bank = log.banks.includes('sha256') ? 'sha256' : 'sha1';
  const events = log.events.map((event) => decodeEvent(event, bank, crypto));
  const found = findOddities(log, events, { bank, quotedBanks: [bank], exitBootServices }, crypto);
  return {
    oddities: found.map(({ name, event }) => `${name} ${event}`),
    sentences: found.map(({ sentence }) => sentence),
    contradiction: bankContradiction(log, events, bank, crypto),
  };
}

const CALL = 'boot-option-call-not-measured';
const EXIT = 'exit-boot-services-not-measured';
const CUT = 'authority-last-byte-cut';
/** Every real log of a boot that has one; those that are not listed have none. */
const REAL: { readonly [log: string]: readonly string[] } = {
  'google_go-attestation/crypto_agile_eventlog.eventlog.bin': [`${CALL} 14`, `${EXIT} 17`],
  'google_go-attestation/ebs_event_missing_eventlog.eventlog.bin': [`${CALL} 33`, `${EXIT} 36`],
  'google_go-attestation/option_rom_eventlog.eventlog.bin': ['no-action-with-digest 60', `${CALL} 38`],
  'google_go-attestation/sb_cert_eventlog.eventlog.bin': [`${CUT} 12`, `${CALL} 10`, `${EXIT} 9`],
  'google_go-attestation/short_no_action_eventlog.eventlog.bin': [`${CALL} 0`, `${EXIT} 0`],
  'google_go-attestation/windows_gcp_shielded_vm.eventlog.bin': [`${CALL} 9`, `${EXIT} 8`],
  'google_go-tpm-tools/ubuntu-2404-amd-sevsnp.eventlog.bin': ['exit-boot-services-repeated 114'],
  'google_go-tpm-tools/glinux-alex.eventlog.bin': [`${CALL} 18`, `${EXIT} 21`],
  'google_go-tpm-tools/arch-linux-workstation.eventlog.bin': [`${CALL} 14`, `${EXIT} 17`],
  'google_go-tpm-tools/debian-10.eventlog.bin': [`${CUT} 23`, `${EXIT} 20`],
  'google_go-tpm-tools/cos-85-amd-sev.eventlog.bin': [`${CUT} 24`],
  'google_go-tpm-tools/cos-93-amd-sev.eventlog.bin': [`${CUT} 24`],
  'google_go-tpm-tools/gdc-host.eventlog.bin': ['dma-protection-disabled 18'],
  'keylime_keylime/binary_bios_measurements.eventlog.bin': [`${EXIT} 51`],
  'tpm2-software_tpm2-tools/event-arch-linux.eventlog.bin': [`${CALL} 14`, `${EXIT} 17`],
  'tpm2-software_tpm2-tools/event-postcode.eventlog.bin': [`${CUT} 40`, `${CALL} 17`, `${EXIT} 18`],
  'tpm2-software_tpm2-tools/event-uefi-sha1-log.eventlog.bin': [`${CALL} 10`, `${EXIT} 14`],
  'nsacyber_HIRS/TpmLog.eventlog.bin': [`${EXIT} 41`],
  'nsacyber_HIRS/TPMLog_Altered.eventlog.bin': [`${EXIT} 41`],
  'nsacyber_HIRS/TpmLogSHA1.eventlog.bin': [`${CUT} 26`, `${CALL} 14`, `${EXIT} 17`],
  'nsacyber_HIRS/laptop_default_laptop_default_binary_bios_measurements.eventlog.bin': [`${CALL} 15`, `${EXIT} 18`],
};
/** Single made events and parts of logs; `gce-cos-85` are the logs of cos-85 in another wrapping. */
const NO_BOOT = /tpm2-tools\/(event|event-uefi(action|services|var)|specid[^/]*)\.eventlog|\.rimel\.|gce-cos-85/;

const index: readonly { readonly parse: string; readonly eventlog?: string }[] = present
  ? JSON.parse(readFileSync(new URL('INDEX.json', vectors), 'utf8'))
  : [];
const logs = [...new Set(index.filter(({ parse }) => parse === 'ok').flatMap(({ eventlog }) => eventlog ?? []))]
  .concat(present ? ['debian13-qemu-cd/eventlog.bin'] : [])
  .filter((log) => !NO_BOOT.test(log));

describe.skipIf(!present)(present ? 'real logs' : 'real logs (skipped: no vectors)', () => {
  it('are there, and so is every log of the table', () => {
    expect(logs.length).toBeGreaterThan(30);
    expect(Object.keys(REAL).filter((log) => !logs.includes(log))).toEqual([]);
  });

  it.each(logs)('%s', (path) => {
    const { oddities, contradiction } = look(new Uint8Array(readFileSync(new URL(path, vectors))));
    expect(oddities).toEqual(REAL[path] ?? []);
    expect(contradiction).toBeNull();
  });
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const action = (pcr: number, value: string): WrittenEvent => ({ pcr, type: EventType.EFI_ACTION, data: text(value) });
const good = bootEvents(GOOD_BOOT);
const at = (wanted: (event: WrittenEvent) => boolean): number => good.findIndex(wanted);
const exitAt = at(({ pcr, type }) => pcr === 5 && type === EventType.EFI_ACTION);
const callAt = at(({ pcr, type }) => pcr === 4 && type === EventType.EFI_ACTION);
const shimAt = at(({ pcr, type }) => pcr === 4 && type === EventType.EFI_BOOT_SERVICES_APPLICATION);
const separatorAt = at(({ pcr, type }) => pcr === 3 && type === EventType.SEPARATOR);
const failedEntry = [action(4, ACTION.return), action(4, ACTION.call)];
const names = (events: readonly WrittenEvent[], exit: ExitBootServices = 'as-logged'): string[] =>
  look(writeEventLog(events, crypto), exit).oddities.map((each) => each.split(' ')[0] ?? '');

describe('one oddity at a time', () => {
  it('a boot by the profile has none', () => expect(names(good)).toEqual([]));

  it.each([
    { name: 'separator-windows-wbcl', data: text('WBCL') },
    { name: 'separator-one-byte', data: Uint8Array.of(0xff) },
    { name: 'separator-skiboot', data: text('skiboot') },
  ])('$name', ({ name, data }) => {
    expect(names(good.with(separatorAt, { ...separator(3), data }))).toEqual([name]);
    expect(names(good.with(separatorAt, { ...separator(3), data, measured: text('x') }))).toEqual([]);
  });

  it.each([
    { name: 'separator-repeated', events: good.toSpliced(separatorAt, 0, separator(3)) },
    { name: CALL, events: good.toSpliced(callAt, 1) },
    { name: 'earlier-boot-entry-failed', events: good.toSpliced(shimAt, 0, ...failedEntry) },
    { name: EXIT, events: good.toSpliced(exitAt, 2) },
    { name: EXIT, events: good.toSpliced(exitAt + 1, 1) },
    { name: 'exit-boot-services-repeated', events: good.toSpliced(exitAt, 0, action(5, ACTION.exitFailure)) },
    { name: 'exit-boot-services-repeated', events: [...good, action(5, ACTION.exitInvocation)] },
    { name: 'dma-protection-disabled', events: [action(7, ACTION.dmaProtectionDisabled), ...good] },
    { name: 'uefi-debug-mode', events: [action(7, ACTION.debugMode), ...good] },
  ])('$name', ({ name, events }) => expect(names(events)).toEqual([name]));

  it('an earlier entry that had loaded an image is none: something else ran', () => {
    expect(names(good.toSpliced(shimAt + 1, 0, ...failedEntry))).toEqual([]);
  });

  it('a text under another type is the same text; a text that was not measured is none', () => {
    const hidden = { ...action(7, ACTION.debugMode), type: EventType.POST_CODE };
    expect(names([hidden, ...good])).toEqual(['uefi-debug-mode']);
    expect(names([{ ...hidden, type: EventType.EFI_ACTION, measured: text('other') }, ...good])).toEqual([]);
  });

  it.each(['not-logged', 'only-logged'] as const)('ExitBootServices %s', (exit) => {
    expect(names(good, exit)).toEqual([`exit-boot-services-${exit}`]);
  });

  it('padding, a digest in NO_ACTION, a bank that is switched off', () => {
    const bytes = writeEventLog(good, crypto);
    expect(look(concatBytes(bytes, new Uint8Array(64))).oddities).toEqual([`log-padding ${good.length}`]);
    const silent = writeEventLog([...good, { pcr: 0, type: EventType.NO_ACTION, data: text('abc') }], crypto);
    silent[silent.length - 8] = 1;
    expect(look(silent).oddities).toEqual([`no-action-with-digest ${good.length + 1}`]);
  });

  it('says how often it was seen, and where first', () => {
    const twice = good.toSpliced(shimAt, 0, ...failedEntry, ...failedEntry);
    expect(look(writeEventLog(twice, crypto)).sentences).toEqual([
      `A boot entry before ours returned without having loaded an image (event ${shimAt + 2} and 1 more).`,
    ]);
  });
});

describe('the table', () => {
  it('has a reason for each, and calls harmless only what hides nothing', () => {
    for (const name of WORKAROUND_NAMES) {
      const { seen, overlooks, because } = FIRMWARE_WORKAROUNDS[name];
      for (const sentence of [seen, overlooks, because])
        expect(sentence).toMatch(/^["A-Z].*\.$|^coreboot .*\.$|^shim .*\.$/s);
    }
    expect(WORKAROUND_NAMES.filter((name) => !HARMLESS_WORKAROUNDS.includes(name))).toEqual([
      'dma-protection-disabled',
      'uefi-debug-mode',
    ]);
    expect(ORDINARY_WORKAROUNDS.filter((name) => !HARMLESS_WORKAROUNDS.includes(name))).toEqual([]);
  });
});
