import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Artifact, openSteps, type Step, sourceFile } from './steps.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-steps-'));
});
afterEach(() => rm(folder, { recursive: true }));

const root = () => join(folder, 'build');
const open = (bootId = 'this start') => openSteps(root(), () => undefined, bootId);

/** Copies a file in capitals. */
async function shout(text: string, change: Partial<Step> = {}): Promise<Step> {
  const input = join(folder, 'input');
  await writeFile(input, text);
  return {
    name: 'shout',
    recipe: ['glob.ts'],
    declaredIn: 'cache-folder.ts',
    files: { 'the input': await sourceFile(input) },
    values: { mark: '!' },
    make: async (to) => writeFile(join(to, 'out.txt'), (await readFile(input, 'utf8')).toUpperCase()),
    ...change,
  };
}

const home = () => join(root(), 'shout');

describe('a step', () => {
  it('is made once, and again when what it reads differs, saying what', async () => {
    const steps = await open();
    expect(await steps.run(await shout('a'))).toMatchObject({ ran: true, why: ['never built here'] });
    expect(await steps.run(await shout('a'))).toMatchObject({ ran: false, why: [] });
    const other = await steps.run(await shout('b'));
    expect(other).toMatchObject({ ran: true, why: ['the input changed'] });
    expect(await readFile(other.file('out.txt').path, 'utf8')).toBe('B');
    const louder = await shout('b', { values: { mark: '!!' } });
    expect(await steps.run(louder)).toMatchObject({ ran: true, why: ['mark ! → !!'] });
  });

  it('does not mind the order in which its inputs were made', async () => {
    const steps = await open();
    const { files } = await shout('a');
    const other = { 'the other': files['the input'] as Artifact };
    await steps.run(await shout('a', { files: { ...files, ...other } }));
    expect((await steps.run(await shout('a', { files: { ...other, ...files } }))).ran).toBe(false);
  });

  it('tells where a changed input comes from', async () => {
    const steps = await open();
    await steps.run(await shout('a', { origins: { 'src/main.ts': '1', 'src/other.ts': '1' } }));
    const changed = await steps.run(await shout('b', { origins: { 'src/main.ts': '2', 'src/other.ts': '1' } }));
    expect(changed.why).toEqual(['the input changed', 'src/main.ts 1 → 2']);
    const same = await shout('b', { origins: { 'src/main.ts': '3' } });
    expect((await steps.run(same)).ran).toBe(false);
  });

  it('keeps the result before the last, so that going back costs nothing, and no more', async () => {
    const steps = await open();
    for (const text of ['a', 'b', 'c']) await steps.run(await shout(text));
    expect((await steps.run(await shout('b'))).ran).toBe(false);
    expect((await steps.run(await shout('a'))).ran).toBe(true);
    expect(await readdir(home())).toHaveLength(2);
  });

  it('leaves nothing that counts when it fails, and takes away what was left', async () => {
    const steps = await open();
    const failing = await shout('a', {
      make: async (to) => {
        await writeFile(join(to, 'out.txt'), 'half');
        throw new Error('broken off');
      },
    });
    await expect(steps.run(failing)).rejects.toThrow('broken off');
    expect((await readdir(home())).every((name) => name.endsWith('.part'))).toBe(true);
    const whole = await steps.run(await shout('a'));
    expect(await readFile(whole.file('out.txt').path, 'utf8')).toBe('A');
    expect((await readdir(home())).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it.each([
    { what: 'a file gone', damage: (out: string) => rm(join(out, 'out.txt')) },
    { what: 'a file emptied', damage: (out: string) => writeFile(join(out, 'out.txt'), '') },
    { what: 'its record emptied', damage: (out: string) => writeFile(join(out, '../record.json'), '') },
  ])('is made again with $what', async ({ damage }) => {
    const steps = await open();
    await damage((await steps.run(await shout('a'))).folder);
    const again = await steps.run(await shout('a'));
    expect(again.ran).toBe(true);
    expect(await readFile(again.file('out.txt').path, 'utf8')).toBe('A');
  });

  it('is read again after a restart of the machine: other bytes of the same size do not pass, the same bytes do', async () => {
    const first = await (await open()).run(await shout('a'));
    expect((await (await open('the next start')).run(await shout('a'))).ran).toBe(false);
    await writeFile(first.file('out.txt').path, '\0');
    expect((await (await open('the next start')).run(await shout('a'))).ran).toBe(false);
    const restarted = await (await open('one more start')).run(await shout('a'));
    expect(restarted.ran).toBe(true);
    expect(await readFile(restarted.file('out.txt').path, 'utf8')).toBe('A');
  });

  it('does not take a tool that outlived a killed build for its own', async () => {
    const steps = await open();
    await steps.run(await shout('a'));
    await mkdir(join(home(), 'key.123.part/out'), { recursive: true });
    await writeFile(join(home(), 'key.123.part/out/out.txt'), 'of the killed build');
    const result = await steps.run(await shout('b'));
    expect(await readFile(result.file('out.txt').path, 'utf8')).toBe('B');
    expect(await readdir(home())).not.toContain('key.123.part');
  });
});
