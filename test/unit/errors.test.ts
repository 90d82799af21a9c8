/** docs/errors.md is complete and has nothing stale: its rows are exactly the codes that the sources can say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REMEDIES } from '../../src/attest/remedies.ts';
import { requestErrorStatus } from '../../src/broker/errors.ts';
import { codesOfProject, codesOfScript, codesOfTypeScript } from './errors-collect.ts';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, code = '', meaning = '', remedy = '', ...rest]) => ({ code: code.slice(1, -1), meaning, remedy, rest }));
const documented = rows.map((row) => row.code);

describe('docs/errors.md', () => {
  const codes = codesOfProject(root);

  it('documents every code', () => {
    expect([...codes].filter((code) => !documented.includes(code)).sort()).toEqual([]);
  });

  it('documents nothing that is no code', () => {
    expect(documented.filter((code) => !codes.has(code))).toEqual([]);
  });

  it('has one row for each code, with a meaning and a remedy', () => {
    expect(documented.filter((code, index) => documented.indexOf(code) !== index)).toEqual([]);
    expect(rows.filter(({ meaning, remedy, rest }) => !meaning || !remedy || rest.join('') !== '')).toEqual([]);
  });

  it.each(Object.entries(requestErrorStatus))('says with which HTTP status %s comes', (code, status) => {
    expect(rows.find((row) => row.code === code)?.meaning).toContain(`HTTP ${status}`);
  });
});

describe('remedies of refusals', () => {
  it.each(Object.entries(REMEDIES))('%s says the same in the document and in the verdict', (code, remedy) => {
    expect(rows.find((row) => row.code === code)?.remedy.replaceAll('`', '')).toBe(remedy);
  });
});

describe('the search for codes', () => {
  it.each([
    { name: 'a class', text: `class E extends CodedError<'A_ONE'> {}`, codes: ['A_ONE'] },
    {
      name: 'a union over lines',
      text: `class E extends CodedError<\n  | 'A_ONE'\n  | 'A_TWO'\n> {`,
      codes: ['A_ONE', 'A_TWO'],
    },
    {
      name: 'an alias',
      text: `type Why = 'A_ONE' | 'A_TWO';\nclass E extends CodedError<Why> {}`,
      codes: ['A_ONE', 'A_TWO'],
    },
    {
      name: 'the keys of a table',
      text: `const table = {\n  A_ONE: 400,\n  INTERNAL: 500,\n} as const;\ntype Why = keyof typeof table;\nclass E extends CodedError<Why> {}`,
      codes: ['A_ONE', 'INTERNAL'],
    },
    {
      name: 'a closed set without a class',
      text: `type OddCode =\n  // first\n  | 'A_ONE'\n  | 'CLOSED';`,
      codes: ['A_ONE', 'CLOSED'],
    },
    { name: 'a failure', text: `return { code: bad ? 'A_ONE' : other(), family };`, codes: ['A_ONE'] },
    { name: 'a field', text: `readonly code = 'A_ONE';`, codes: ['A_ONE'] },
    { name: 'a problem', text: `problem(\n  'A_ONE',\n  'text')`, codes: ['A_ONE'] },
    { name: 'a printed line', text: 'console.error(`cpushare: error=A_ONE detail`);', codes: ['A_ONE'] },
    { name: 'a comparison, which is none', text: `if (error.code === 'ENOENT') return;`, codes: [] },
    { name: 'a ternary, which is none', text: `return known ? code : 'MALFORMED';`, codes: [] },
    { name: 'a comment, which is none', text: ` * \`class E extends CodedError<'A_ONE'>\``, codes: [] },
  ])('finds $name', ({ text, codes }) => {
    expect([...new Set(codesOfTypeScript(text))].sort()).toEqual(codes);
  });

  it('does not pass over a class whose codes it cannot follow', () => {
    expect(() => codesOfTypeScript('class E extends CodedError<Elsewhere> {}')).toThrow('Elsewhere');
  });

  it.each([
    { name: 'fail lines', text: 'mount || fail A_ONE "what"', codes: ['A_ONE'] },
    { name: 'printed lines', text: 'echo "cpushare: error=A_ONE"', codes: ['A_ONE'] },
    { name: "GRUB's text", text: "echo 'it failed [A_ONE].'", codes: ['A_ONE'] },
    { name: 'no comments', text: '# fail A_ONE', codes: [] },
  ])('finds $name of scripts', ({ text, codes }) => {
    expect(codesOfScript(text)).toEqual(codes);
  });
});
