/** The verifier's page: what a visitor downloads, and how long a browser takes over a report. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { projectRoot } from '../../../scripts/project.ts';
import { builtVerifierPage, writeVerifierPage } from '../../../scripts/verifier-page.ts';
import { CodedError } from '../../shared/errors.ts';
import type { Emit } from './figure.ts';

export class BrowserBenchError extends CodedError<'BENCH_REPORT_REFUSED'> {}

const CHROMIUM = '/usr/bin/chromium';
const TABS = 7;
const AGAIN = 9;

export async function benchBrowser(emit: Emit): Promise<void> {
  const page = await writeVerifierPage(builtVerifierPage);
  emit({ name: 'browser.bundle.bytes', value: page.gzipBytes, unit: 'bytes' });
  if (!existsSync(CHROMIUM)) {
    console.error(`browser.verify.ms is left out: ${CHROMIUM} is missing. Next step: sudo apt install chromium`);
    return;
  }
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [], // Chromium refuses its sandbox to root
  });
  try {
    const first: number[] = [];
    const again: number[] = [];
    for (let tab = 0; tab < TABS; tab += 1) {
      const [one = 0, ...others] = await timesInFreshTab(browser);
      first.push(one);
      again.push(...others);
    }
    emit({ name: 'browser.verify.ms', value: median(again), unit: 'ms' });
    // What a visitor waits at the first press of "Verify" in a tab; the page has judged the files unseen as they came.
    emit({ name: 'browser.verify.first.ms', value: median(first), unit: 'ms' });
  } finally {
    await browser.close();
  }
}

/** Milliseconds as the page measures them: reading the files, judging, not drawing. */
async function timesInFreshTab(browser: Browser): Promise<number[]> {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(builtVerifierPage).href);
  const notice = page.locator('#notice');
  for (const name of ['report.json', 'reference-values.json', 'trust.pem', 'nonce']) {
    await page.locator('#files').setInputFiles(join(projectRoot, 'test/fixtures/p256', name));
    await notice.filter({ hasText: name === 'nonce' ? 'filled in' : `${name} was added` }).waitFor();
  }
  const body = page.locator('body');
  const times: number[] = [];
  for (let run = 0; run <= AGAIN; run += 1) {
    await body.evaluate((element) => element.removeAttribute('data-took-ms'));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.locator('body[data-took-ms]').waitFor();
    times.push(Number(await body.getAttribute('data-took-ms')));
  }
  const status = await page.locator('#banner [data-status]').getAttribute('data-status');
  if (status !== 'accepted') {
    throw new BrowserBenchError('BENCH_REPORT_REFUSED', `the report in test/fixtures/p256 is ${status} in the browser`);
  }
  await page.close();
  return times;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;
}
