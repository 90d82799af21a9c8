/**
 * What tpm2-tools expects of its own fixtures as independent judge: every field of its YAML that has an equal here must
 * be equal.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { parseEventLog } from './parse.ts';
import { reportEventLog } from './report.ts';
import { equalFields } from './testing/tpm2-eventlog-fields.ts';
import { readTpm2EventlogYaml } from './testing/tpm2-eventlog-yaml.ts';
import { ALL_WORKAROUNDS } from './workarounds.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const folder = new URL('tpm2-software_tpm2-tools/', vectors);
const present = existsSync(folder);
/** One log lies in the folder of another source that has it too. */
const ELSEWHERE: { readonly [name: string]: string } = {
  'event-gce-ubuntu-2104-log': 'google_go-tpm-tools/ubuntu-2104-no-dbx.eventlog.bin',
};
const cases = [
  ...(present ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.expected-pretty.yaml'))
    .map((name) => name.replace('.expected-pretty.yaml', ''))
    .map((name) => ({
      name,
      yaml: `tpm2-software_tpm2-tools/${name}.expected-pretty.yaml`,
      log: ELSEWHERE[name] ?? `tpm2-software_tpm2-tools/${name}.eventlog.bin`,
    })),
  ...(present
    ? [
        {
          name: 'our own recording',
          yaml: 'debian13-qemu-cd/eventlog.expected.yaml',
          log: 'debian13-qemu-cd/eventlog.bin',
        },
      ]
    : []),
];
const parse = (bytes: Uint8Array) => parseEventLog(bytes, { padding: 'allow', workarounds: ALL_WORKAROUNDS });

describe.skipIf(!present)(present ? 'tpm2_eventlog' : 'tpm2_eventlog (skipped: no vectors)', () => {
  it('has left its expectations', () => expect(cases.length).toBeGreaterThan(8));

  it.each(cases)('expects of $name what we decode', ({ yaml, log }) => {
    const theirs = readTpm2EventlogYaml(readFileSync(new URL(yaml, vectors), 'utf8'));
    const parsed = parse(new Uint8Array(readFileSync(new URL(log, vectors))));
    expect(theirs.events).toHaveLength(parsed.events.length);
    for (const [index, event] of parsed.events.entries()) {
      const fields = theirs.events[index] ?? [];
      const ours = equalFields(decodeEvent(event, 'sha256', nodeAttestCrypto), fields);
      expect(ours, `event ${index}`).toEqual(fields);
    }
    const { banks } = reportEventLog(parsed, nodeAttestCrypto);
    expect(banks).toMatchObject(theirs.pcrs);
  });
});
