/** What the image's build reads out of packages: programs and libraries in ELF, and ICU's data inside one of them. */
import { readElf } from '../../../scripts/elf.ts';
import { keepIcuItems } from '../../../scripts/icu-data.ts';
import { icuLibrary } from '../../../scripts/testing/icu-library.ts';
import { BrokenRule, type Target } from './target.ts';

export function imageTargets(): readonly Target[] {
  const library = icuLibrary({ 'coll/root.res': Buffer.alloc(40, 1), 'en.res': Buffer.alloc(9, 2) });
  const seeds = [Uint8Array.from(library)];
  return [
    {
      name: 'icu-data',
      shape: 'bytes',
      seeds,
      maxBytes: 20_000,
      baseMs: 5,
      run: (input) => {
        if (keepIcuItems(input, ['**/*.res']).length !== input.length) {
          throw new BrokenRule('the library has another length');
        }
      },
    },
    { name: 'elf', shape: 'bytes', seeds, maxBytes: 20_000, baseMs: 5, run: (input) => void readElf(input, 'input') },
  ];
}
