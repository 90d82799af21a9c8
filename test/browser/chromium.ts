/** Debian's Chromium, and the verifier's page in it as a person would use it. Every request the page makes is written down. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { projectRoot } from '../../scripts/project.ts';

const program = '/usr/bin/chromium';
export const hasChromium: boolean = existsSync(program);
export const withoutChromium: string = hasChromium ? '' : ' (skipped: no Chromium; sudo apt install chromium)';

export function startChromium(): Promise<Browser> {
  // Chromium refuses its own sandbox to root, as in a container.
  return chromium.launch({ executablePath: program, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

export interface VerifierTab {
  readonly page: Page;
  /** URLs in order, the page itself first. */
  readonly requests: readonly string[];
  /** Errors of the page and of its policy: none is expected. */
  readonly complaints: readonly string[];
}

/** `lacking`: what other browsers do not have, as properties of `window`. */
export async function openVerifier(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  lacking: readonly string[] = [],
): Promise<VerifierTab> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  for (const name of lacking) await context.addInitScript(`delete window.${name}`);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, requests, complaints };
}

/** A path on this computer, or a file that is only in memory. */
export type GivenFile = string | { readonly name: string; readonly content: string | Uint8Array };

export async function addFiles({ page }: VerifierTab, files: readonly GivenFile[]): Promise<void> {
  for (const file of files) {
    const [input, notice] = [page.locator('#files'), page.locator('#notice')];
    await notice.evaluate((element) => element.replaceChildren());
    if (typeof file === 'string') {
      await input.setInputFiles(file);
    } else {
      const buffer = Buffer.from(file.content);
      await input.setInputFiles({ name: file.name, mimeType: 'application/octet-stream', buffer });
    }
    await notice.filter({ hasText: /added|filled in/ }).waitFor();
  }
}

export interface Shown {
  /** `accepted`, `refused` or `unjudged`. */
  readonly status: string | null;
  readonly banner: string;
  /** Code of each failed check, in order. */
  readonly codes: readonly string[];
  /** Text of each failed check. */
  readonly reasons: readonly string[];
  readonly json: unknown;
  /** As the page measured it, milliseconds. */
  readonly tookMs: number;
}

export async function verify(tab: VerifierTab): Promise<Shown> {
  await tab.page.getByRole('button', { name: 'Verify' }).click();
  return shown(tab);
}

export async function shown({ page }: VerifierTab): Promise<Shown> {
  const banner = page.locator('#banner [data-status]');
  await banner.waitFor();
  const json = page.locator('#verdict-json');
  const failures = page.locator('.failure');
  return {
    status: await banner.getAttribute('data-status'),
    banner: (await banner.innerText()).replace(/\s+/g, ' '),
    codes: await failures.evaluateAll((found) => found.map((each) => each.getAttribute('data-code') ?? '')),
    reasons: await failures.allInnerTexts(),
    json: (await json.count()) === 0 ? null : JSON.parse((await json.textContent()) ?? ''),
    tookMs: Number(await page.locator('body').getAttribute('data-took-ms')),
  };
}

/** Kept beside the results of the tests, to be looked at. */
export async function screenshot({ page }: VerifierTab, name: string): Promise<void> {
  const path = join(projectRoot, 'dist/test-artifacts', `${name}.png`);
  await mkdir(dirname(path), { recursive: true });
  await page.screenshot({ path, fullPage: true });
}
