/** Inputs that once broke a rule, each with what was wrong. A new finding of the fuzzer goes in here, in bytes. */
import { expect, it } from 'vitest';
import { judgeInput } from '../../src/cli/fuzz/judge.ts';
import { squashfsSeeds } from '../../src/cli/fuzz/squashfs-seeds.ts';
import { requirePrintable, type Target } from '../../src/cli/fuzz/target.ts';
import { allTargets } from '../../src/cli/fuzz/targets.ts';
import { describeError } from '../../src/shared/errors.ts';
import { loadFixture } from '../fixtures/load.ts';

const targets = new Map(allTargets().map((target) => [target.name, target]));
const target = (name: string): Target => {
  const found = targets.get(name);
  if (found === undefined) throw new Error(`there is no target ${name}`);
  return found;
};
const { eventLog } = loadFixture('p256').report.evidence;

it('a log that ends in zeros and a one: each event looked through the rest for padding', async () => {
  const input = new Uint8Array(1_500_000);
  input.set(eventLog);
  input[input.length - 1] = 1;
  expect(await judgeInput({ ...target('event-log-bytes'), maxBytes: input.length }, input)).toBeNull();
});

it.each([
  { name: 'reference-values', json: '{"\\u202eACCEPTED":1}' },
  { name: 'policy', json: '{"\\u009b32mACCEPTED":1}' },
])('a key in $name that steers the terminal: the error quoted it as it was', async ({ name, json }) => {
  let shown = '';
  try {
    await target(name).run(new TextEncoder().encode(json));
  } catch (error) {
    shown = describeError(error);
  }
  expect(shown).toContain('ACCEPTED');
  requirePrintable(shown);
});

it('a squashfs with two ways to one folder: the walk would have doubled with each of 64 levels', async () => {
  const squashfs = Buffer.from(squashfsSeeds()[0] ?? []);
  const root = squashfs.readUInt16LE(32); // where its inode begins
  const second = squashfs.lastIndexOf('hello') - 8; // entries: offset of the inode, number, type, length of the name, name
  const first = second - 9; // one letter
  for (const entry of [first, second]) squashfs.writeUInt16LE(root, entry);
  expect(await judgeInput(target('squashfs'), squashfs)).toBeNull();
  await expect(target('squashfs').run(squashfs)).rejects.toThrow('the folder a occurs twice');
});

it('a configuration of nothing but keys, each on a line of its own: lines were counted from the start for each', async () => {
  const input = new TextEncoder().encode(`{${'"":1,\n'.repeat(10_900)}"":1}`);
  expect(await judgeInput(target('configuration'), input)).toBeNull();
});

it('a USB alias of one long word: two parts of the pattern shared it out in every way', async () => {
  const input = new TextEncoder().encode(`alias usb:v0BDAp8152d${'0'.repeat(15_000)} r8152`);
  expect(await judgeInput(target('module-aliases'), input)).toBeNull();
});
