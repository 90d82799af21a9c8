/**
 * Whoever reads what somebody else wrote is fuzzed. A source file that takes numbers out of bytes, parses JSON or reads lines has to
 * stand in one of the two lists: with the fuzz target that runs it, or with why what it reads is not foreign.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { allTargets } from '../../src/cli/fuzz/targets.ts';

const root = join(import.meta.dirname, '../..');
const READS = /\.read(U?Int|Big)|\.get(Uint|Int|Big)|JSON\.parse\(|parseJson\(|createInterface\(/;

const FUZZED: Readonly<Record<string, string>> = {
  'scripts/elf.ts': 'elf',
  'scripts/icu-data.ts': 'icu-data',
  'scripts/image-spec.ts': 'iso',
  'scripts/lock-file.ts': 'iso',
  'scripts/pe.ts': 'pe',
  'scripts/reference-values-mok.ts': 'pe',
  'scripts/squashfs-reader.ts': 'squashfs',
  'scripts/stick/gpt.ts': 'partition-table',
  'scripts/verify/about.ts': 'iso',
  'scripts/verify/iso-parts.ts': 'iso',
  'src/attest/boot/firmware-keys.ts': 'explain',
  'src/attest/event-log/little-endian.ts': 'event-log',
  'src/attest/result/ear-jose.ts': 'ear-token',
  'src/attest/strict-json.ts': 'policy',
  'src/protocol/report-document.ts': 'report',
  'src/protocol/schema-check.ts': 'report',
  'src/sell-client/broker/broker-answers.ts': 'broker-answer',
  'src/sell-client/configuration/fat.ts': 'fat-volume',
  'src/sell-client/configuration/guestinfo.ts': 'guestinfo',
  'src/sell-client/configuration/json-place.ts': 'configuration',
  'src/sell-client/configuration/measured-form.ts': 'configuration',
  'src/sell-client/configuration/parse-configuration.ts': 'configuration',
  'src/shared/iso9660-records.ts': 'iso-volume',
};

const OWN = 'made by the build itself, in a folder that only it writes';
const CHECKOUT = 'a file of the checkout';

const NOT_FOREIGN: Readonly<Record<string, string>> = {
  'src/shared/bytes.ts': 'compares, joins and prints bytes; what they mean is for its callers',
  'packages/tpm2-ts/src/transport-swtpm.ts':
    'lengths of a TPM simulator, for tests; what the TPM says is in the tpm targets',
  'scripts/build.ts': OWN,
  'scripts/export/iso-content.ts': 'digests of our own; of the ISO only a date, by one pattern',
  'scripts/export/vmdk.ts': 'digests of our own',
  'scripts/export/vmx.ts': 'digests of our own',
  'scripts/flavour.ts': CHECKOUT,
  'scripts/npm-parts.ts': CHECKOUT,
  'scripts/packages.ts': OWN,
  'scripts/project.ts': CHECKOUT,
  'scripts/publish.ts': OWN,
  'scripts/root-layers.ts': OWN,
  'scripts/run/qmp.ts': 'the QEMU that this program started',
  'scripts/step-recipe.ts': CHECKOUT,
  'scripts/steps.ts': OWN,
  'scripts/stick/configuration-partition.ts': 'digests of our own',
  'scripts/stick/fat-volume.ts': 'bytes of our own',
  'scripts/verifier-page.ts': CHECKOUT,
  'src/broker/accounts.ts': 'a file of the broker in its own data folder',
  'src/broker/db/enrolments.ts': 'the database of the broker',
  'src/broker/db/machines.ts': 'the database of the broker',
  'src/broker/db/pairings.ts': 'the database of the broker',
  'src/cli/attest/ear.ts': 'keys that whoever runs it names and trusts; the token is in ear-token',
  'src/cli/attest/trust-files.ts': 'takes a file apart for certificate, stored-certificate and pem',
  'src/cli/broker-client.ts': 'schemas and wording as in broker-answer',
  'src/cli/image/hardware.ts': OWN,
  'src/cli/image/write.ts': 'answers of the person at the terminal',
  'src/page/main.ts': 'takes files and links apart for report and reference-values',
  'src/sell-client/main.ts': 'a file of the measured image',
  'src/sell-client/network/interfaces.ts': 'answers of ip, a program of the measured image',
  'src/sell-client/network/wifi.ts': 'hands on the lines of iwd to what wifi-log runs',
};

const sources = ['src', 'scripts', 'packages/tpm2-ts/src']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|\/testing\/|^src\/cli\/(fuzz|bench|demo)\//.test(path));

/** All that the fuzz targets import, directly or not. */
function reached(): Set<string> {
  const found = new Set<string>();
  const add = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, from = ''] of text.matchAll(/^(?:import|export)\s(?!type\b)[^'"]*?\bfrom\s+'([^']+)'/gm)) {
      if (from.startsWith('.')) add(normalize(join(dirname(file), from)));
      else if (from.startsWith('tpm2-ts/')) add(`packages/tpm2-ts/src/${from.slice('tpm2-ts/'.length)}.ts`);
    }
  };
  add('src/cli/fuzz/targets.ts');
  return found;
}

it('each reader has a fuzz target, or a reason to have none', () => {
  const readers = sources.filter((file) => READS.test(readFileSync(join(root, file), 'utf8')));
  expect(readers.sort()).toEqual([...Object.keys(FUZZED), ...Object.keys(NOT_FOREIGN)].sort());
});

it('the targets named are there, and import the reader', () => {
  const names = allTargets().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.values(FUZZED)));
  const files = reached();
  expect(Object.keys(FUZZED).filter((file) => !files.has(file))).toEqual([]);
});
