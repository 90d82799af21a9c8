import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { pageCommand } from './page.ts';

let folder = '';
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

it('writes the page and says where it is', async () => {
  folder = await mkdtemp(join(tmpdir(), 'attest-page-'));
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const out = join(folder, 'verify me.html');
  await yargs(['page', '--out', out]).command(pageCommand).exitProcess(false).parseAsync();
  expect(await readFile(out, 'utf8')).toMatch(/^<!doctype html>\n[\s\S]+<\/html>\n$/);
  expect(print.mock.calls.flat().join('\n')).toMatch(new RegExp(`^${pathToFileURL(out).href}\n\\d+ KiB compressed$`));
});
