/** Register 7: real logs (../shared/vectors, where they are at hand), and each doubt made one at a time. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import { parseEventLog } from '../event-log/parse.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../policy/policies.ts';
import type { SecureBootPolicy } from '../policy/policy.ts';
import { bootEvents, GOOD_BOOT } from '../testing/boot-node.ts';
import * as log from '../testing/event-log-writer.ts';
import { firmwareKeys } from './firmware-keys.ts';
import { DBX_RELEASES } from './firmware-revocations.ts';
import { judgeSecureBoot, type SecureBootExpectation, type SecureBootJudgement } from './secure-boot.ts';

const strict = demoPolicyAcceptingSoftwareTpm.secureBoot;

function judgeBytes(
  bytes: Uint8Array,
  policy: Partial<SecureBootPolicy> = {},
  overlooked: SecureBootExpectation['overlooked'] = [],
): SecureBootJudgement {
  const parsed = parseEventLog(bytes, { padding: 'allow' });
  const bank = parsed.banks.includes('sha256') ? 'sha256' : 'sha1';
  const events = parsed.events.map((event) => decodeEvent(event, bank, crypto));
  return judgeSecureBoot(
    events,
    { policy: { ...strict, ...policy }, overlooked, firmwareKeys: firmwareKeys(crypto) },
    crypto,
  );
}

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, vectors)));

const UEFI_2011 = 'Microsoft Corporation UEFI CA 2011';
const CANONICAL = 'Canonical Ltd. Master Certificate Authority';
const RED_HAT = 'Red Hat Secure Boot CA 5';
/** State or refusal, who verified the start, and the revocation list, of every real log that measures Secure Boot. */
const REAL: { readonly [log: string]: string } = {
  'google_go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog': 'SECURE_BOOT_OFF | 183+3 2020-07-01',
  'google_go-attestation/ebs_event_missing_eventlog': 'SECURE_BOOT_OFF | 14+0 2014-04-13',
  'google_go-attestation/option_rom_eventlog':
    'on | Microsoft Corporation UEFI CA 2011 by db, Microsoft Windows Production PCA 2011 by db | 78+0 2016-08-09',
  'google_go-attestation/sb_cert_eventlog': `on | ${UEFI_2011} by db, ${CANONICAL} by shim, ${CANONICAL} by shim | 77+0 2016-08-09`,
  'google_go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog': 'SECURE_BOOT_OFF | 183+3 2020-07-01',
  'google_go-attestation/windows_gcp_shielded_vm':
    'on | Microsoft Root Certificate Authority 2010 by db | 77+0 2016-08-09',
  'google_go-tpm-tools/rhel8-uefi': `on | ${UEFI_2011} by db, ${RED_HAT} by shim | 183+3 2020-07-01`,
  'google_go-tpm-tools/ubuntu-1804-amd-sev': 'SECURE_BOOT_OFF | 77+0 2016-08-09',
  'google_go-tpm-tools/ubuntu-2104-no-dbx': 'SECURE_BOOT_OFF | 0+0 null',
  'google_go-tpm-tools/ubuntu-2404-amd-sevsnp': 'SECURE_BOOT_OFF | 371+0 2023-05-01',
  'google_go-tpm-tools/glinux-alex': 'SECURE_BOOT_OFF | 77+0 2016-08-09',
  'google_go-tpm-tools/debian-10': `on | ${UEFI_2011} by db, Debian Secure Boot CA by shim | 183+3 2020-07-01`,
  'google_go-tpm-tools/cos-85-amd-sev': 'on | a7b8c851 by db, a7b8c851 by db, a7b8c851 by db | 0+4 null',
  'google_go-tpm-tools/cos-101-amd-sev': 'on | a7b8c851 by db, a7b8c851 by db | 0+4 null',
  'google_go-tpm-tools/gdc-host': 'FIRMWARE_WORKAROUND_REFUSED',
  'google_go-tpm-tools/eventlogwithsp800155': 'on | 2fa7df82 by db, 2fa7df82 by db | 0+4 null',
  'keylime_keylime/binary_bios_measurements': 'SECURE_BOOT_OFF | 458+2 2023-05-01',
  'keylime_keylime/binary_bios_measurements-secureboot': `on | ${UEFI_2011} by db, ${RED_HAT} by shim | 371+0 2023-05-01`,
  'keylime_keylime/mb_log': `on | ${UEFI_2011} by db, CentOS Secure Boot CA 2 by shim | 1+0 null`,
  'tpm2-software_tpm2-tools/event-bootorder': 'SECURE_BOOT_OFF | 0+0 null',
  'tpm2-software_tpm2-tools/event-moklisttrusted': `on | ${UEFI_2011} by db, ${RED_HAT} by shim | 1+0 null`,
  'tpm2-software_tpm2-tools/event-postcode': `on | ${UEFI_2011} by db, ${CANONICAL} by shim, ${CANONICAL} by shim | 77+0 2016-08-09`,
  'tpm2-software_tpm2-tools/event-sd-boot-fedora37': 'SECURE_BOOT_OFF | 0+0 null',
  'nsacyber_HIRS/TpmLog': 'SECURE_BOOT_OFF | 0+0 null',
  'nsacyber_HIRS/TpmLogSHA1': `on | ${UEFI_2011} by db, ${CANONICAL} by shim | 77+1 2016-08-09`,
  'nsacyber_HIRS/laptop_default_laptop_default_binary_bios_measurements': `on | ${UEFI_2011} by db, CentOS Secure Boot CA 2 by shim, 3bdd690e by shim | 77+1 2016-08-09`,
};

function summary({ failure, firmware }: SecureBootJudgement): string {
  const { state, authorities, dbx } = firmware.secureBoot;
  const who = authorities.map(({ name, sha256, vouchedBy }) => `${name ?? sha256.slice(0, 8)} by ${vouchedBy}`);
  const head = failure === null ? state : failure.code;
  if (state === 'unproven') return head;
  const list = `${dbx.hashes}+${dbx.certificates} ${dbx.release}`;
  return [head, ...(who.length === 0 ? [] : [who.join(', ')]), list].join(' | ');
}

describe.skipIf(!present)(present ? 'real logs' : 'real logs (skipped: no vectors)', () => {
  it.each(Object.entries(REAL))('%s: %s', (path, wanted) => {
    expect(summary(judgeBytes(read(`${path}.eventlog.bin`)))).toBe(wanted);
  });
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const action = (value: string): log.WrittenEvent => ({ pcr: 7, type: EventType.EFI_ACTION, data: text(value) });
const good = bootEvents(GOOD_BOOT);
const nameOf = ({ data }: log.WrittenEvent): string => new TextDecoder('utf-16le').decode(data.subarray(32, 46));
const at = (name: string, type: number = EventType.EFI_VARIABLE_DRIVER_CONFIG): number =>
  good.findIndex((event) => event.pcr === 7 && event.type === type && nameOf(event).startsWith(name));
const authorityAt = at('db', EventType.EFI_VARIABLE_AUTHORITY);
const judge = (
  events: readonly log.WrittenEvent[],
  policy: Partial<SecureBootPolicy> = {},
  overlooked: SecureBootExpectation['overlooked'] = [],
) => judgeBytes(log.writeEventLog(events, crypto), policy, overlooked);
const hashOf = (data: Uint8Array): string => toHex(crypto.hash('sha256', data));
const keyOfDb = hashOf(text('key of db'));

describe('what register 7 says', () => {
  it('is in the verdict: keys, revocations, who verified the start', () => {
    const { failure, firmware } = judge(good);
    expect(failure).toBeNull();
    expect(firmware).toEqual({
      secureBoot: {
        state: 'on',
        platformKeys: [{ sha256: hashOf(text('key of PK')), name: null }],
        keyExchangeKeys: [{ sha256: hashOf(text('key of KEK')), name: null }],
        db: [{ sha256: keyOfDb, name: null }],
        dbx: { hashes: 1, certificates: 0, release: null },
        authorities: [{ sha256: keyOfDb, name: null, vouchedBy: 'db' }],
      },
      unknowns: [],
    });
  });

  const list = log.signatureList('certificate', [text('key of db')]);
  const dbx = good[at('dbx')] as log.WrittenEvent;
  it.each([
    {
      name: 'the order of variables',
      events: good.with(at('db'), dbx).with(at('dbx'), good[at('db')] as log.WrittenEvent),
    },
    { name: 'a list that is one byte short', events: good.with(at('db'), log.variable('db', list.slice(0, -1))) },
    {
      name: 'a list that is one byte long',
      events: good.with(at('db'), log.variable('db', concatBytes(list, Uint8Array.of(0)))),
    },
    { name: 'no authority', events: good.toSpliced(authorityAt, 1) },
    {
      name: 'a db of another namespace',
      events: good.with(at('db'), { ...log.variable('db', list), data: log.variable('PK', list).data }),
    },
    { name: 'an unknown variable', events: good.toSpliced(at('PK'), 0, log.variable('Mine', text('x'))) },
  ])('$name in doubt: SECURE_BOOT_UNPROVEN', ({ events }) => {
    expect(judge(events)).toMatchObject({
      failure: { code: 'SECURE_BOOT_UNPROVEN' },
      firmware: { secureBoot: { state: expect.any(String) } },
    });
  });

  it('an authority that is not in db is nobody, whatever it calls itself', () => {
    for (const value of [log.signature(text('another key')), text('key of db'), new Uint8Array()]) {
      const events = good.with(authorityAt, log.variable('db', value, EventType.EFI_VARIABLE_AUTHORITY));
      expect(judge(events).failure?.code).toBe('SECURE_BOOT_AUTHORITY_UNKNOWN');
    }
  });

  it('more events behind the separator than any machine has are not judged one by one', () => {
    const authority = good[authorityAt] as log.WrittenEvent;
    const many = (count: number) => judge([...good, ...Array.from({ length: count }, () => authority)]).failure?.code;
    expect(many(99)).toBeUndefined();
    expect(many(100)).toBe('SECURE_BOOT_UNPROVEN');
  });

  it('nor more variables, nor more keys; and an unknown name is cut short', () => {
    const mine = (count: number) =>
      good.toSpliced(at('PK'), 0, ...Array.from({ length: count }, () => log.variable('Mine'.repeat(50), text('x'))));
    expect(judge(mine(96), { unknownVariables: 'list' }).failure?.code).toBe('SECURE_BOOT_UNPROVEN');
    const [unknown = ''] = judge(mine(1), { unknownVariables: 'list' }).firmware.unknowns;
    expect(unknown.length).toBeLessThan(160);
    const keys = (count: number) =>
      log.signatureList(
        'certificate',
        Array.from({ length: count }, () => text('key of db')),
      );
    const withDb = (count: number) => judge(good.with(at('db'), log.variable('db', keys(count)))).failure?.code;
    expect([withDb(100), withDb(101)]).toEqual([undefined, 'SECURE_BOOT_UNPROVEN']);
  });

  it('an image that db allows by its hash', () => {
    const hash = crypto.hash('sha256', text('image'));
    const db = concatBytes(list, log.signatureList('image-hash', [hash]));
    const events = good
      .with(at('db'), log.variable('db', db))
      .with(authorityAt, log.variable('db', log.signature(hash), EventType.EFI_VARIABLE_AUTHORITY));
    expect(judge(events)).toMatchObject({
      failure: null,
      firmware: { secureBoot: { authorities: [{ sha256: toHex(hash), vouchedBy: 'db' }] } },
    });
  });
});

describe('unknowns', () => {
  const vendor: log.WrittenEvent = { pcr: 7, type: EventType.EFI_ACTION, data: text('Vendor mode') };
  it('are listed where the policy says so, and refused where it does not', () => {
    const events = [log.variable('Mine', text('x')), vendor];
    for (const event of events) {
      for (const where of [good.toSpliced(at('PK'), 0, event), [...good, event]]) {
        expect(judge(where).failure?.code).toBe('SECURE_BOOT_UNPROVEN');
        const listed = judge(where, { unknownVariables: 'list' });
        const isBehind = where.at(-1) === event && event !== vendor;
        if (isBehind)
          expect(listed.failure?.code).toBe('SECURE_BOOT_UNPROVEN'); // a variable where only authorities belong
        else
          expect(listed).toMatchObject({ failure: null, firmware: { unknowns: [expect.stringContaining('event')] } });
      }
    }
  });

  it('are never what no digest proves, or a true event under another type', () => {
    const list = { unknownVariables: 'list' } as const;
    const hidden = { ...log.variable('SecureBoot', Uint8Array.of(0)), type: EventType.POST_CODE };
    const unproven = { ...vendor, measured: text('something else') };
    const separator = { pcr: 7, type: EventType.POST_CODE, data: new Uint8Array(4) };
    const authority = { ...(good[authorityAt] as log.WrittenEvent), type: EventType.POST_CODE };
    for (const event of [hidden, unproven, separator]) {
      expect(judge(good.toSpliced(at('SecureBoot'), 0, event), list).failure?.code).toBe('SECURE_BOOT_UNPROVEN');
    }
    for (const event of [hidden, unproven, authority, separator]) {
      expect(judge([...good, event], list).failure?.code).toBe('SECURE_BOOT_UNPROVEN');
    }
  });

  it.each(['DMA Protection Disabled', 'UEFI Debug Mode'])('"%s" only where the policy overlooks it', (words) => {
    const events = good.toSpliced(at('PK'), 0, action(words));
    expect(judge(events).failure).toMatchObject({ code: 'FIRMWARE_WORKAROUND_REFUSED', family: 'policy' });
    expect(judge(events, { unknownVariables: 'list' }).failure?.code).toBe('FIRMWARE_WORKAROUND_REFUSED');
    const names = ['dma-protection-disabled', 'uefi-debug-mode'] as const;
    expect(judge(events, {}, names).failure).toBeNull();
  });
});

describe('policy', () => {
  it('allows authorities by fingerprint or by name', () => {
    expect(judge(good, { allowedAuthorities: [keyOfDb] }).failure).toBeNull();
    const refused = judge(good, { allowedAuthorities: ['Microsoft UEFI CA 2023'] }).failure;
    expect(refused).toMatchObject({ code: 'SECURE_BOOT_AUTHORITY_REFUSED', family: 'policy' });
    expect(refused?.difference?.actual).toBe(`the key ${keyOfDb}`);
  });

  const revoked = hashOf(text('revoked'));
  it.each([
    { name: 'enough entries', dbx: { minimumEntries: 1 }, code: undefined },
    { name: 'too few entries', dbx: { minimumEntries: 2 }, code: 'DBX_TOO_OLD' },
    { name: 'a hash that is revoked', dbx: { requiredHashes: [revoked] }, code: undefined },
    { name: 'a hash that is not', dbx: { requiredHashes: [revoked, hashOf(text('other'))] }, code: 'DBX_TOO_OLD' },
    { name: 'a list of no known release', dbx: { notOlderThan: DBX_RELEASES[0] }, code: 'DBX_TOO_OLD' },
  ])('dbx: $name', ({ dbx, code }) => {
    expect(judge(good, { dbx: { ...strict.dbx, ...dbx } }).failure?.code).toBe(code);
  });

  it.skipIf(!present)('dbx: the age of a real list', () => {
    const bytes = read('google_go-tpm-tools/rhel8-uefi.eventlog.bin');
    const codes = DBX_RELEASES.map(
      (notOlderThan) => judgeBytes(bytes, { dbx: { ...strict.dbx, notOlderThan } }).failure?.code,
    );
    expect(codes).toEqual([undefined, undefined, undefined, 'DBX_TOO_OLD', 'DBX_TOO_OLD']);
    const allowed = ['Microsoft Corporation UEFI CA 2011', 'Red Hat Secure Boot CA 5'];
    expect(judgeBytes(bytes, { allowedAuthorities: allowed }).failure).toBeNull();
    expect(judgeBytes(bytes, { allowedAuthorities: allowed.slice(0, 1) }).failure?.code).toBe(
      'SECURE_BOOT_AUTHORITY_REFUSED',
    );
  });
});
