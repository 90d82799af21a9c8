/** The verifier's page from disk in a real browser: what it accepts and refuses, that it says why, and that it asks nobody. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtVerifierPage, currentVerifierPage } from '../../scripts/verifier-page.ts';
import type { ReportDocument } from '../../src/protocol/messages.ts';
import { fixturePath } from '../fixtures/load.ts';
import {
  addFiles,
  type GivenFile,
  hasChromium,
  openVerifier,
  screenshot,
  startChromium,
  type VerifierTab,
  verify,
  withoutChromium,
} from './chromium.ts';
import { commandLineVerdict } from './command-line.ts';
import { filesOf } from './signed-reports.ts';

const file = (name: string): string => fileURLToPath(fixturePath('p256', name));
const url = pathToFileURL(builtVerifierPage).href;
const GOOD = ['report.json', 'reference-values.json', 'trust.pem', 'nonce'].map(file);
const [REPORT = '', ...OTHERS] = GOOD;

let folder: string;
let browser: Browser;
let tab: VerifierTab;
let report: ReportDocument;

beforeAll(async () => {
  if (!hasChromium) return;
  folder = await mkdtemp(join(tmpdir(), 'verifier-page-'));
  await currentVerifierPage();
  report = JSON.parse(await readFile(REPORT, 'utf8')) as ReportDocument;
  browser = await startChromium();
});
afterEach(async () => {
  await tab?.page.context().close();
});
afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** The recorded report with other bytes in one field of its evidence. */
function altered(field: 'quote' | 'signature' | 'eventLog' | 'claims', change: (bytes: Buffer) => Buffer): GivenFile {
  const evidence = {
    ...report.evidence,
    [field]: change(Buffer.from(report.evidence[field], 'base64')).toString('base64'),
  };
  return { name: 'report.json', content: JSON.stringify({ ...report, evidence }) };
}
const flipped = (index: number) => (bytes: Buffer) => {
  const changed = Buffer.from(bytes);
  changed[index] = (changed[index] ?? 0) ^ 0x01;
  return changed;
};

describe.skipIf(!hasChromium)(`the verifier's page${withoutChromium}`, () => {
  it('accepts the good report, and says exactly what the command line says', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD);
    const result = await verify(tab);
    expect(result).toMatchObject({ status: 'accepted', codes: [] });
    expect(result.banner).toMatch(
      /^ACCEPTED The machine runs cpushare-seller \S+\. All \d+ checks passed\. A software TPM proves nothing/,
    );
    expect(result.json).toEqual(await commandLineVerdict(file('report.json'), []));
    const links = tab.page.locator('.link');
    expect(await links.evaluateAll((all) => all.map((each) => each.getAttribute('data-state')))).toEqual(
      Array(9).fill('good'),
    );
    console.log(`verified in ${result.tookMs} ms at the first time in this tab`);
  });

  it('does the same in a browser that does not tell when it is idle', async () => {
    tab = await openVerifier(browser, url, {}, ['requestIdleCallback']);
    await addFiles(tab, GOOD);
    expect(await verify(tab)).toMatchObject({ status: 'accepted', codes: [] });
    expect(tab.complaints).toEqual([]);
  });

  it('asks nobody: no request but for the page itself, and its policy lets none through', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD);
    await verify(tab);
    expect(tab.requests.filter((each) => !each.startsWith('data:'))).toEqual([url]);
    expect(tab.complaints).toEqual([]);
    let callers = 0;
    const listener = createServer((socket) => {
      callers += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    for (const attempt of [
      `fetch('http://127.0.0.1:${port}/')`,
      `new Promise((done, failed) => { const image = new Image(); image.onload = done; image.onerror = failed; image.src = 'http://127.0.0.1:${port}/x.png'; })`,
      `new Promise((done, failed) => { const socket = new WebSocket('ws://127.0.0.1:${port}/'); socket.onopen = done; socket.onerror = failed; })`,
      `Promise.resolve().then(() => { const script = document.createElement('script'); script.textContent = 'document.title = 1'; document.body.append(script); })`,
      `Promise.resolve().then(() => { document.body.innerHTML = '<p>'; })`,
    ]) {
      const end = tab.page.evaluate(`${attempt}.then(() => 'done', () => 'blocked')`);
      expect(await end.catch(() => 'blocked'), attempt).toBe('blocked');
    }
    listener.close();
    expect(callers).toBe(0);
  });

  it.each([
    {
      name: 'malformed: a signature cut short',
      given: () => altered('signature', (bytes) => bytes.subarray(0, -1)),
      code: 'SIGNATURE_TRUNCATED',
      sentence: /^The quote's signature cannot be read/,
      family: 'It cannot be read.',
    },
    {
      name: 'false: a quote with another bit',
      given: () => altered('quote', flipped(60)),
      code: 'QUOTE_SIGNATURE_INVALID',
      sentence: /^The signature over the quote was not made by this AK\./,
      family: 'It contradicts itself or a signature.',
    },
    {
      name: 'false: an event log with another bit',
      given: () => altered('eventLog', flipped(2000)),
      code: null,
      sentence: /./,
      family: 'It contradicts itself or a signature.',
    },
  ])('refuses what is $name', async ({ given, code, sentence, family }) => {
    tab = await openVerifier(browser, url);
    const bad = given();
    await addFiles(tab, [bad, ...OTHERS]);
    const result = await verify(tab);
    expect(result.status).toBe('refused');
    if (code !== null) expect(result.codes[0]).toBe(code);
    expect(result.reasons[0]).toMatch(sentence);
    expect(result.reasons[0]).toContain(family);
    if (typeof bad === 'string') throw new Error('made in memory');
    await writeFile(join(folder, 'report.json'), bad.content);
    expect(result.json).toEqual(await commandLineVerdict(join(folder, 'report.json'), []));
  });

  it('refuses by policy: a TPM in software where none is accepted', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD);
    await tab.page.getByText('Broker, kinds of TPM, time').click();
    await tab.page.getByLabel('software').uncheck();
    const result = await verify(tab);
    expect(result).toMatchObject({ status: 'refused', codes: ['TPM_CLASS_NOT_ACCEPTED'] });
    expect(result.reasons[0]).toMatch(/^The TPM is of class software, accepted are: hardware, firmware, cloud\./);
    expect(result.reasons[0]).toContain('It is genuine, and not what is accepted.');
    const only = ['hardware', 'firmware', 'cloud'].flatMap((each) => ['--accept-class', each]);
    expect(result.json).toEqual(await commandLineVerdict(file('report.json'), only));
    expect(await tab.page.locator('[data-link=ek]').getAttribute('data-state')).toBe('bad');
    expect(await tab.page.locator('[data-link=kernel]').getAttribute('data-state')).toBe('open');
    await screenshot(tab, 'page-refused-1280-light');
  });

  it.each([
    {
      name: 'another kernel command line',
      boot: { parameters: 'quiet init=/bin/sh' },
      code: 'KERNEL_COMMAND_LINE_DIFFERS',
      link: 'kernel',
      change: 'KERNEL_PARAMETERS_CHANGED',
    },
    {
      name: 'another initrd',
      boot: { initrd: 'mine' },
      code: 'INITRD_DIFFERS',
      link: 'image',
      change: 'INITRD_CHANGED',
    },
    { name: 'another shim', boot: { shim: 'mine' }, code: 'SHIM_DIFFERS', link: 'shim', change: 'BOOT_LOADER_CHANGED' },
    {
      name: 'another GRUB command',
      boot: { extraCommands: ['insmod evil'] },
      code: 'GRUB_COMMAND_DIFFERS',
      link: 'grub',
      change: 'GRUB_COMMANDS_CHANGED',
    },
    {
      name: 'a strange kernel module',
      boot: { modules: ['loop.ko', 'evil.ko'] },
      code: 'KERNEL_MODULE_UNKNOWN',
      link: 'image',
      change: null,
    },
    {
      name: 'Secure Boot off',
      boot: { secureBoot: false },
      code: 'SECURE_BOOT_OFF',
      link: 'firmware',
      change: null,
    },
  ])(
    'refuses a genuine report of $name, and shows where the chain broke',
    async ({ name, boot, code, link, change }) => {
      tab = await openVerifier(browser, url);
      await addFiles(tab, filesOf(boot));
      const result = await verify(tab);
      expect(result.status).toBe('refused');
      expect(result.codes).toContain(code);
      expect(await tab.page.locator(`[data-link=${link}]`).getAttribute('data-state')).toBe('bad');
      expect(await tab.page.locator(`[data-link=${link}] .state`).innerText()).toBe('refused');
      const changes = await tab.page
        .locator('[data-change]')
        .evaluateAll((all) => all.map((each) => each.getAttribute('data-change')));
      if (change !== null) expect(changes).toContain(change);
      await screenshot(tab, `page-${name.replaceAll(' ', '-')}`);
    },
  );

  it('refuses a report for another challenge, and takes the one in the report only when told', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD.slice(0, 3));
    await tab.page.locator('#nonce').fill('00'.repeat(32));
    expect((await verify(tab)).status).toBe('refused');
    await tab.page.getByLabel('I have none: take the one that the report names').check();
    expect((await verify(tab)).status).toBe('accepted');
    await expect
      .poll(() => tab.page.locator('#details').innerText())
      .toContain('nothing here shows when the machine answered');
  });

  it.each([
    { name: 'nothing at all', files: [], code: 'REPORT_MISSING', step: 'add the report.json' },
    { name: 'no reference values', files: [REPORT], code: 'REFERENCE_MISSING', step: 'reference-values.json' },
    { name: 'no challenge', files: GOOD.slice(0, 3), code: 'NONCE_BAD', step: 'enter it' },
  ])('cannot judge with $name, and says what to add', async ({ files, code, step }) => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, files);
    const result = await verify(tab);
    expect(result).toMatchObject({ status: 'unjudged', codes: [], json: null });
    expect(result.banner).toMatch(/^COULD NOT BE JUDGED /);
    expect(result.banner).toContain(code);
    expect(result.banner).toContain(step);
  });

  it.each([
    { name: 'random bytes', content: () => randomBytes(5_000_000) },
    { name: 'one long line of brackets', content: () => '['.repeat(5_000_000) },
    { name: 'zeros', content: () => new Uint8Array(5_000_000) },
    { name: 'a report whose log is junk', content: () => withLog('A'.repeat(5_000_000)) },
    {
      name: 'a report with a million keys',
      content: () => `{"format":"cpushare-report",${'"a":1,'.repeat(800_000)}"b":1}`,
    },
  ])('5 MB of garbage ($name): one clear message, and the page goes on', async ({ content }) => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, [{ name: 'garbage.bin', content: content() }, ...OTHERS]);
    const startMs = Date.now();
    const result = await verify(tab);
    console.log(`5 MB of garbage: answered after ${Date.now() - startMs} ms`);
    expect(result.status).toBe('unjudged');
    expect(result.banner).toContain('This is not a report of a broker REPORT_MALFORMED');
    expect(result.banner.length).toBeLessThan(1000);
    await addFiles(tab, [REPORT]); // the new report takes the garbage's place
    expect((await verify(tab)).status).toBe('accepted');
    expect(tab.complaints).toEqual([]);
  });

  it("shows a stranger's text as text: no markup, no characters that turn the line", async () => {
    tab = await openVerifier(browser, url);
    const name = '<img src=x onerror="document.title=1">\u202egnp.txt';
    await addFiles(tab, [{ name, content: 'no report' }]);
    expect(await tab.page.locator('#documents .name').innerText()).toBe(
      '<img src=x onerror="document.title=1">\\u202egnp.txt',
    );
    expect(await tab.page.locator('#documents img').count()).toBe(0);
    expect(tab.requests).toHaveLength(tab.requests.filter((each) => each === url || each.startsWith('data:')).length);
  });

  it('saves the verdict that it shows', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD);
    const { json } = await verify(tab);
    const saving = tab.page.waitForEvent('download');
    await tab.page.getByRole('button', { name: 'Save verdict.json' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('verdict.json');
    expect(JSON.parse(await readFile(await saved.path(), 'utf8'))).toEqual(json);
  });

  it('takes pasted text', async () => {
    tab = await openVerifier(browser, url);
    await tab.page.getByText('Paste text instead').click();
    for (const path of GOOD) {
      await tab.page.getByLabel('Text of a report').fill(await readFile(path, 'utf8'));
      await tab.page.getByRole('button', { name: 'Add the text' }).click();
    }
    expect((await verify(tab)).status).toBe('accepted');
  });

  it('takes files that are dropped anywhere', async () => {
    tab = await openVerifier(browser, url);
    const texts = await Promise.all(GOOD.map((path) => readFile(path, 'utf8')));
    await tab.page.evaluate((contents) => {
      const transfer = new (globalThis as unknown as DropWorld).DataTransfer();
      for (const [index, text] of contents.entries()) {
        transfer.items.add(new (globalThis as unknown as DropWorld).File([text], `dropped-${index}`));
      }
      const { DragEvent, document } = globalThis as unknown as DropWorld;
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, texts);
    await tab.page.locator('#documents li').nth(2).waitFor();
    expect((await verify(tab)).status).toBe('accepted');
  });

  it('refuses a link that is not HTTPS without asking for it', async () => {
    tab = await openVerifier(browser, url);
    await tab.page.getByText('Fetch from a link instead').click();
    for (const link of [
      'http://127.0.0.1:1/report.json',
      '/v1/machines',
      'file:///etc/hostname',
      'https://a:b@127.0.0.1:1/',
    ]) {
      await tab.page.getByLabel('Link to a report').fill(link);
      await tab.page.getByRole('button', { name: 'Fetch' }).click();
      await tab.page.locator('#banner').getByText('LINK_REFUSED').waitFor();
    }
    expect(tab.requests.filter((each) => !each.startsWith('data:'))).toEqual([url]);
  });

  it('can be used with the keyboard alone, and leads the reader to the verdict', async () => {
    tab = await openVerifier(browser, url);
    await addFiles(tab, GOOD);
    await tab.page.locator('#nonce').press('Enter');
    await tab.page.locator('#banner [data-status=accepted]').waitFor();
    expect(await tab.page.evaluate('document.activeElement.textContent')).toBe('ACCEPTED');
    const unnamed = await tab.page.evaluate(
      `[...document.querySelectorAll('input, textarea, select, button')].filter((each) => (each.labels ?? []).length === 0 && !each.textContent && !each.ariaLabel).map((each) => each.id)`,
    );
    expect(unnamed).toEqual([]);
  });

  it.each([
    { width: 320, colorScheme: 'light' as const },
    { width: 320, colorScheme: 'dark' as const },
    { width: 1280, colorScheme: 'light' as const },
    { width: 1280, colorScheme: 'dark' as const },
  ])('is readable at $width px, $colorScheme', async ({ width, colorScheme }) => {
    tab = await openVerifier(browser, url, { viewport: { width, height: 800 }, colorScheme });
    await addFiles(tab, GOOD);
    await tab.page.getByText('Broker, kinds of TPM, time').click();
    await verify(tab);
    await tab.page.locator('#details summary').first().click();
    expect(await tab.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(await tab.page.evaluate(faintTexts)).toEqual([]);
    await screenshot(tab, `page-accepted-${width}-${colorScheme}`);
  });
});

function withLog(eventLog: string): string {
  return JSON.stringify({ ...report, evidence: { ...report.evidence, eventLog } });
}

/** What the drop test uses of a browser; these sources are checked without its types. */
interface DropWorld {
  readonly DataTransfer: new () => { readonly items: { add(file: unknown): void } };
  readonly File: new (parts: readonly string[], name: string) => unknown;
  readonly DragEvent: new (type: string, init: object) => never;
  readonly document: { readonly body: { dispatchEvent(event: never): boolean } };
}

/** WCAG 2.2 §1.4.3: texts whose contrast with the nearest painted ground is below 4.5. */
const faintTexts = `(() => {
  const channel = (value) => (value <= 10.31 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!own || element.closest('script, style, noscript') || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(element.textContent.slice(0, 40) + ' ' + contrast.toFixed(2));
  }
  return faint;
})()`;
