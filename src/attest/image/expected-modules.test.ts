import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../test/fixtures/load.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { expectedModules } from './expected-modules.ts';
import { parseImaLog, provenImaEntries } from './ima-log.ts';

const { report, expected } = loadFixture('p256');
const [reference] = expected().referenceValues;
const modules = expectedModules(reference, crypto);
const { imaLog, pcrs } = report.evidence;
const quoted = pcrs.sha256?.[10] ?? new Uint8Array();

describe('entries of modules that are expected', () => {
  it('are most of a real boot, and say the same as when they are read', () => {
    const read = parseImaLog(imaLog);
    const known = parseImaLog(imaLog, modules);
    expect(known.filter(({ module }) => module !== null).length).toBeGreaterThan(read.length / 2);
    const said = ({ file, module: _, ...rest }: (typeof read)[number]) => ({ ...rest, ...file, path: file.path });
    expect(known.map(said)).toEqual(read.map(said));
    expect(provenImaEntries(known, quoted, crypto)).toHaveLength(read.length);
  });

  it('are never taken for one that differs in a byte', () => {
    const genuine = parseImaLog(imaLog, modules);
    const last = genuine.at(-1)?.templateData ?? new Uint8Array();
    expect(genuine.at(-1)?.module).not.toBeNull();
    for (let index = imaLog.length - last.length; index < imaLog.length; index += 1) {
      const altered = imaLog.map((byte, at) => (at === index ? byte ^ 1 : byte));
      let entries: ReturnType<typeof parseImaLog>;
      try {
        entries = parseImaLog(altered, modules);
      } catch {
        continue; // a length that leads elsewhere
      }
      expect(entries[genuine.length - 1]?.module ?? null).toBeNull();
      expect(provenImaEntries(entries, quoted, crypto)).toBeNull();
    }
  });
});
