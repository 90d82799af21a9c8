/** The page as one file: the same bytes each time, small, with nothing in it that its policy does not name. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildVerifierPage, type VerifierPage, writeVerifierPage } from './verifier-page.ts';

const MAX_BYTES = 150_000;
let folder: string;
let page: VerifierPage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verifier-page-'));
  page = await buildVerifierPage();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inside = (pattern: RegExp): string => pattern.exec(page.html)?.[1] ?? '';
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('the verifier page', () => {
  it('has the same bytes when it is built again', async () => {
    expect((await buildVerifierPage()).html).toBe(page.html);
  });

  it(`is at most ${MAX_BYTES} bytes compressed`, () => {
    console.log(`verifier page: ${page.html.length} characters, ${page.gzipBytes} bytes compressed`);
    expect(page.gzipBytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('names its one script and its one style by hash, and forbids the rest', () => {
    const policy = inside(/http-equiv="Content-Security-Policy" content="([^"]+)"/).split('; ');
    expect(page.html.match(/<script/g)).toHaveLength(1);
    expect(page.html.match(/<style/g)).toHaveLength(1);
    expect(policy).toContain(`script-src ${hashOf(inside(/<script type="module">([\s\S]*?)<\/script>/))}`);
    expect(policy).toContain(`style-src ${hashOf(inside(/<style>([\s\S]*?)<\/style>/))}`);
    expect(policy).toContain("default-src 'none'");
    expect(policy.join(' ')).not.toMatch(/unsafe|\*/);
  });

  it('loads nothing: no address in its markup but its own empty icon', () => {
    const markup = page.html.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<pre>[\s\S]*?<\/pre>/g, '');
    expect([...markup.matchAll(/(?:src|href|action|srcset|data)="([^"#]+)"/g)].map((match) => match[1])).toEqual([
      'data:,',
    ]);
  });

  it('turns no text into markup or code', () => {
    const script = inside(/<script type="module">([\s\S]*?)<\/script>/);
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  });

  it('carries the licences of what is inside, and no path of where it was made', () => {
    const licences = inside(/<pre>([\s\S]*?)<\/pre>/);
    for (const name of ['@noble/curves', '@noble/hashes', 'typebox']) expect(licences).toContain(name);
    expect(licences.match(/MIT License/gi)?.length).toBeGreaterThanOrEqual(3);
    expect(page.html).not.toContain(process.cwd());
  });

  it('is written whole, and nothing is left beside it', async () => {
    await writeVerifierPage(join(folder, 'deep/verify.html'));
    expect(await readFile(join(folder, 'deep/verify.html'), 'utf8')).toBe(page.html);
    expect(await readdir(join(folder, 'deep'))).toEqual(['verify.html']);
  });

  it('says where it cannot be written', async () => {
    await expect(writeVerifierPage('/proc/verify.html')).rejects.toMatchObject({ code: 'PAGE_WRITE_FAILED' });
  });
});
