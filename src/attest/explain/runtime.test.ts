import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import type { Boot } from '../testing/boot-node.ts';
import { evidenceOf } from '../testing/verdicts-node.ts';
import type { ChangeCode } from './change.ts';
import { type Against, explain } from './explain.ts';
import { readBoot } from './read-boot.ts';
import { bytes, reference, sentences } from './testing/boots-node.ts';

describe('the running system', () => {
  const running = (change: Partial<Boot> = {}) => readBoot(evidenceOf(change), nodeAttestCrypto);
  const configuration = bytes('{"broker":"https://b"}');

  it.each<{ name: string; now: ReturnType<typeof running>; against: Against; code: ChangeCode; says: RegExp }>([
    {
      name: 'a module that is not of the image',
      now: running({ modules: ['loop.ko', 'rootkit.ko'] }),
      against: reference,
      code: 'KERNEL_MODULES_CHANGED',
      says: /not those in cpushare-seller 0\.1\.0: it loaded what calls itself \/m\/rootkit\.ko\.$/,
    },
    {
      name: 'modules for other hardware',
      now: running({ modules: ['loop.ko', 'e1000e.ko'] }),
      against: { references: [], earlier: running() },
      code: 'KERNEL_MODULES_CHANGED',
      says: /at the earlier boot: it loaded what calls itself \/m\/e1000e\.ko, and did not load \/m\/overlay\.ko\.$/,
    },
    {
      name: 'another configuration',
      now: running({ configuration }),
      against: { references: [], earlier: running({ configuration: bytes('{}') }) },
      code: 'CONFIGURATION_CHANGED',
      says: /seller's configuration is not the one at the earlier boot/,
    },
  ])('names $name', ({ now, against, code, says }) => {
    const said = sentences(now, against);
    expect(said.map((each) => each.code)).toEqual([code]);
    expect(said[0]?.sentence).toMatch(says);
  });

  it('loads modules of the image in any order', () => {
    const now = running({ modules: ['overlay.ko', 'loop.ko'] });
    expect(sentences(now, { references: [], earlier: running() })).toEqual([]);
    expect(explain(now, reference).registers[10]?.state).toBe('expected');
  });

  it('is unexplained where its records do not lead to the registers', () => {
    const { imaLog } = evidenceOf({ modules: ['other.ko'] });
    const other = readBoot({ ...evidenceOf(), imaLog, configuration }, nodeAttestCrypto);
    const garbage = readBoot({ ...evidenceOf(), imaLog: bytes('garbage') }, nodeAttestCrypto);
    const states = (seen: typeof other) => [10, 12].map((index) => explain(seen, reference).registers[index]?.state);
    expect(states(other)).toEqual(['unexplained', 'unexplained']);
    expect(states(garbage)).toEqual(['unexplained', 'initial']);
  });
});
