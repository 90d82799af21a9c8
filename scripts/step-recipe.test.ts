import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importsOf, readRecipe } from './step-recipe.ts';

describe('importsOf', () => {
  it.each([
    ["import { a } from './a.ts';", ['./a.ts']],
    ["import type { A } from './a.ts';", []],
    ["import { type A, b } from './a.ts';", ['./a.ts']],
    ["import {\n  a,\n  b,\n} from './a.ts';", ['./a.ts']],
    ["import a from 'pack';\nimport './b.ts';", ['pack', './b.ts']],
    ["export { a } from './a.ts';\nexport type { B } from './b.ts';", ['./a.ts']],
    ["export const text = `x`;\nconst from = 'y';", []],
    ['// import { a } from "./a.ts";', []],
  ])('%j', (source, expected) => expect(importsOf(source)).toEqual(expected));
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cpushare-recipe-'));
  await mkdir(join(root, 'scripts'));
  for (const [name, text] of Object.entries({
    'esp.ts': "import { a } from './a.ts';\nimport type { T } from './types.ts';\nimport pack from 'pack';\n",
    'a.ts': "import './esp.ts';\n",
    'types.ts': '',
    'medium.ts': "import './esp.ts';\nimport './other.ts';\n",
    'other.ts': '',
  })) {
    await writeFile(join(root, 'scripts', name), text);
  }
  for (const [name, dependencies] of [['pack', { inner: '^1' }] as const, ['inner', {}] as const]) {
    await mkdir(join(root, 'node_modules', name), { recursive: true });
    await writeFile(join(root, 'node_modules', name, 'package.json'), JSON.stringify({ version: '1.0', dependencies }));
  }
});
afterEach(() => rm(root, { recursive: true }));

describe('readRecipe', () => {
  it('is the modules, what they import, their packages, and the text of where the step is declared', async () => {
    const recipe = await readRecipe(['esp.ts'], 'medium.ts', root);
    expect(Object.keys(recipe)).toEqual([
      'npm inner',
      'npm pack',
      ...['a', 'esp', 'medium'].map((one) => `scripts/${one}.ts`),
    ]);
    expect(recipe['npm pack']).toBe('1.0');
  });

  it.each([
    { changed: 'a.ts', differs: true },
    { changed: 'medium.ts', differs: true },
    { changed: 'types.ts', differs: false },
    { changed: 'other.ts', differs: false },
  ])('differs with $changed: $differs', async ({ changed, differs }) => {
    const before = await readRecipe(['esp.ts'], 'medium.ts', root);
    await writeFile(join(root, 'scripts', changed), '// another\n');
    expect(JSON.stringify(await readRecipe(['esp.ts'], 'medium.ts', root)) !== JSON.stringify(before)).toBe(differs);
  });

  it('names a package that is not installed', async () => {
    await cp(join(root, 'scripts/esp.ts'), join(root, 'scripts/b.ts'));
    await rm(join(root, 'node_modules/inner'), { recursive: true });
    await expect(readRecipe(['b.ts'], 'medium.ts', root)).rejects.toThrow('inner is not installed');
  });
});
