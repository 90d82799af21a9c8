/** Two boots of real machines, explained: logs from `../shared/vectors`, where that folder is present. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { explain } from './explain.ts';
import { readBoot } from './read-boot.ts';
import { renderExplanation } from './render.ts';

const vectors = join(import.meta.dirname, '../../../../shared/vectors');
const present = existsSync(vectors);
const none = new Uint8Array();
const bootOf = (file: string) => {
  const eventLog = new Uint8Array(readFileSync(join(vectors, `${file}.eventlog.bin`)));
  return readBoot({ eventLog, pcrs: {}, imaLog: none, configuration: none }, nodeAttestCrypto);
};
const explained = (earlier: string, now: string) => explain(bootOf(now), { references: [], earlier: bootOf(earlier) });

describe.skipIf(!present)(`real boots${present ? '' : ' (skipped: no vectors)'}`, () => {
  it.each([
    {
      name: 'the same machine quoted twice',
      boots: ['google_go-tpm-tools/gce-cos-85-no-nonce.sha256', 'google_go-tpm-tools/gce-cos-85-nonce9009.sha256'],
      says: [],
      silent: [/./],
    },
    {
      name: 'an Ubuntu 21.04 before and after the dbx was filled, with another kernel',
      boots: ['google_go-tpm-tools/ubuntu-2104-no-dbx', 'google_go-tpm-tools/ubuntu-2104-no-secure-boot'],
      says: [
        /^DBX_UPDATED .* 186 entries came\.$/,
        /^KERNEL_UPDATED .* \/boot\/vmlinuz-5\.11\.0-1006-gcp in place of \/boot\/vmlinuz-5\.11\.0-1008-gcp/,
        /^KERNEL_PARAMETERS_CHANGED .* added root=PARTUUID=/,
        /^PARTITION_TABLE_CHANGED /,
      ],
      silent: [/^FIRMWARE_UPDATED/, /^SECURE_BOOT_/],
    },
    {
      name: 'two machines of which one has Secure Boot on',
      boots: ['keylime_keylime/binary_bios_measurements', 'keylime_keylime/binary_bios_measurements-secureboot'],
      says: [
        /^SECURE_BOOT_SWITCHED_ON /,
        /^SECURE_BOOT_KEYS_CHANGED .* keys in PK .* removed certificate Lenovo Ltd\. PK CA 2012/,
        /^DBX_ROLLED_BACK .* lost 56 entries/,
        /^SBAT_LEVEL_CHANGED .* 2023012900, before 2021030218/,
        /^FIRMWARE_UPDATED .* "edk2-20240524-7\.el9"/,
        /^KERNEL_UPDATED .*vmlinuz-5\.14\.0-503\.11\.1\.el9_5\.x86_64 in place of .*vmlinuz-6\.11\.5-300\.fc41\.x86_64/,
      ],
      silent: [],
    },
    {
      name: 'a log with digests altered in registers 0 and 1, whose text stayed',
      boots: ['nsacyber_HIRS/TpmLog', 'nsacyber_HIRS/TPMLog_Altered'],
      says: [/^FIRMWARE_CODE_CHANGED .*1 of its measurements.*same version/, /^BOOT_ORDER_CHANGED .*\(1 changed\)/],
      silent: [/^KERNEL/, /^SECURE_BOOT/],
    },
    {
      name: 'a release of an operating system that brought a shim which measures its lists',
      boots: ['google_go-tpm-tools/cos-93-amd-sev', 'google_go-tpm-tools/cos-101-amd-sev'],
      says: [/^BOOT_LOADER_CHANGED The first boot loader/, /^KERNEL_UPDATED /, /^SBAT_LEVEL_CHANGED /],
      silent: [/^MOK_ENROLLED/, /^FIRMWARE_/],
    },
  ])('$name', ({ boots: [earlier = '', now = ''], says, silent }) => {
    const said = explained(earlier, now).changes.map(({ code, sentence }) => `${code} ${sentence}`);
    for (const pattern of says) expect(said).toContainEqual(expect.stringMatching(pattern));
    for (const pattern of silent) expect(said).not.toContainEqual(expect.stringMatching(pattern));
  });

  it('prints within 80 columns but for words that are longer', () => {
    const text = renderExplanation(
      explained('keylime_keylime/binary_bios_measurements', 'keylime_keylime/binary_bios_measurements-secureboot'),
    );
    const long = text.split('\n').filter((line) => line.length > 80);
    expect(long.filter((line) => line.trim().includes(' '))).toEqual([]);
  });
});
