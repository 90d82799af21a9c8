/** The image's own Node.js with the ICU data that image.json leaves it: what the sell client and its libraries use works. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ICU_DATA_LIBRARY, keepIcuItems } from './icu-data.ts';
import { readImageSpec } from './image-spec.ts';
import { projectRoot } from './project.ts';
import { unpackLocked } from './testing/locked-packages.ts';

const LIBRARIES = ['libbrotli1', 'libc6', 'libcares2', 'libgcc-s1', 'libicu76', 'libnghttp2-14', 'libnode115'].concat([
  ...['libssl3t64', 'libstdc++6', 'libuv1t64', 'libzstd1', 'zlib1g'],
]);
const BUILTINS = ['node-acorn', 'node-cjs-module-lexer', 'node-minimatch', 'node-undici'];

let scratch: string;
let node: (script: string) => Promise<unknown>;
let leanBytes: Uint8Array;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'icu-test-'));
  const { folderOf } = await unpackLocked(['nodejs', ...LIBRARIES, ...BUILTINS], scratch);
  const folders = LIBRARIES.map((name) => join(folderOf(name), 'usr/lib/x86_64-linux-gnu'));
  const own = join(scratch, 'own');
  await mkdir(join(own, 'usr/share/nodejs'), { recursive: true });
  for (const name of BUILTINS) {
    const modules = join(folderOf(name), 'usr/share/nodejs');
    for (const one of await readdir(modules)) await symlink(join(modules, one), join(own, 'usr/share/nodejs', one));
  }
  // Debian's build reads these modules by absolute path; the same length without the leading slash makes it relative.
  const nodeFolder = join(folderOf('libnode115'), 'usr/lib/x86_64-linux-gnu');
  const libnode = await readFile(join(nodeFolder, 'libnode.so.115'), 'latin1');
  const relative = libnode.replaceAll('/usr/share/nodejs/', 'usr//share/nodejs/');
  await writeFile(join(own, 'libnode.so.115'), relative, 'latin1');
  const icuFolder = join(folderOf('libicu76'), 'usr/lib/x86_64-linux-gnu');
  const library = (await readdir(icuFolder)).find((name) => ICU_DATA_LIBRARY.test(name)) ?? '';
  const { icuData } = await readImageSpec(join(projectRoot, 'image/image.json'));
  leanBytes = keepIcuItems(await readFile(join(icuFolder, library)), icuData);
  await writeFile(join(own, library.replace(/\.\d+$/, '')), leanBytes);
  node = async (script) => {
    const loader = join(folderOf('libc6'), 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
    const path = [own, ...folders].join(':');
    const program = join(folderOf('nodejs'), 'usr/bin/node');
    const print = `console.log(JSON.stringify((() => { ${script} })()))`;
    const { stdout } = await execa(loader, ['--library-path', path, program, '-e', print], {
      cwd: own,
      env: { TZ: 'UTC' },
      extendEnv: false,
    });
    return JSON.parse(stdout) as unknown;
  };
}, 180_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('leaves a library that is zeros for the most part', () => {
  const used = leanBytes.findLastIndex((value, index) => value !== 0 && index < leanBytes.length - 8192);
  expect(used).toBeGreaterThan(1e6);
  expect(used).toBeLessThan(5e6);
});

it.each([
  {
    what: 'dates',
    script: "return new Date(0).toLocaleString('en-US', { timeZone: 'Europe/Berlin' })",
    is: '1/1/1970, 1:00:00 AM',
  },
  { what: 'another language, in English', script: "return new Date(0).toLocaleDateString('de')", is: '1/1/1970' },
  { what: 'numbers', script: 'return (1234567.891).toLocaleString()', is: '1,234,567.891' },
  {
    what: 'money',
    script: "return new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).format(12.5)",
    is: '€12.50',
  },
  {
    what: 'names of hosts',
    script: "return new URL('https://bücher.example/ä?x=ö').href",
    is: 'https://xn--bcher-kva.example/%C3%A4?x=%C3%B6',
  },
  { what: 'UTF-8', script: "return new TextDecoder().decode(Buffer.from('ä'))", is: 'ä' },
  {
    what: 'broken UTF-8',
    script: "try { new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(255)) } catch (e) { return e.code }",
    is: 'ERR_ENCODING_INVALID_ENCODED_DATA',
  },
  { what: 'UTF-16', script: "return new TextDecoder('utf-16le').decode(Buffer.from('ä', 'utf16le'))", is: 'ä' },
  {
    what: 'normal forms',
    script: "return ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => 'ﬁä'.normalize(form).length)",
    is: [2, 3, 3, 4],
  },
  {
    what: 'order',
    script: "return ['ä', 'z', 'a', 'b10', 'b2'].sort(new Intl.Collator('en', { numeric: true }).compare)",
    is: ['a', 'ä', 'b2', 'b10', 'z'],
  },
  {
    what: 'words',
    script: "return [...new Intl.Segmenter('en', { granularity: 'word' }).segment('a b')].length",
    is: 3,
  },
  { what: 'classes of characters', script: 'return /^\\p{Lu}\\p{Script=Greek}$/u.test("Äα")', is: true },
  { what: 'plurals', script: "return new Intl.PluralRules('en').select(1)", is: 'one' },
])('does $what', async ({ script, is }) => {
  expect(await node(script)).toEqual(is);
});
