import { describe, expect, it } from 'vitest';
import { differingKeys, differingParts } from './compare-parts.ts';

const manifest = (text: string) =>
  text.split(' ').map((one) => {
    const [name = '', sha256 = ''] = one.split('=');
    return { name, sha256 };
  });

describe('differingParts', () => {
  it('finds nothing between equals', () => {
    expect(differingParts(manifest('lock=1 kernel=2 initrd=3'), manifest('lock=1 kernel=2 initrd=3'))).toEqual([]);
  });

  it('names the cause first, then what follows from it, with both hashes', () => {
    const given = manifest('lock=1 base.sqfs=7 agent.sqfs=5 initrd=8 esp=4 iso=9');
    const built = manifest('lock=1 base.sqfs=2 agent.sqfs=5 initrd=3 esp=4 iso=6');
    expect(differingParts(given, built)).toEqual([
      { name: 'base.sqfs', given: '7', built: '2' },
      { name: 'initrd', given: '8', built: '3' },
      { name: 'iso', given: '9', built: '6' },
    ]);
  });

  it('tells what one of them does not have', () => {
    expect(differingParts(manifest('lock=1 extra=2 iso=3'), manifest('lock=1 esp=4 iso=5'))).toEqual([
      { name: 'extra', given: '2', built: undefined },
      { name: 'esp', given: undefined, built: '4' },
      { name: 'iso', given: '3', built: '5' },
    ]);
    expect(differingParts(manifest('extra=2 iso=3'), manifest('iso=3'))).toEqual([
      { name: 'extra', given: '2', built: undefined },
    ]);
  });
});

it('differingKeys names, sorted, what was changed, added or taken away', () => {
  expect(differingKeys({ same: 1, z: [1], gone: 0 }, { same: 1, z: [2], new: 0 })).toEqual(['gone', 'new', 'z']);
});
