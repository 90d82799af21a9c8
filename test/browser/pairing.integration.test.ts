/** The pairing pages in a real browser: by keyboard, at a phone's width, in light and dark, and without a script anywhere. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addAccount } from '../../src/broker/accounts.ts';
import { call } from '../../src/broker/testing/http-client.ts';
import { test as broker, enrol, newMachine, signed, useBroker } from '../../src/broker/testing/test-broker.ts';
import { hasChromium, openVerifier, screenshot, startChromium, type VerifierTab, withoutChromium } from './chromium.ts';

let browser: Browser;
let tab: VerifierTab;
let secret: string;

useBroker();
beforeAll(async () => {
  if (!hasChromium) return;
  secret = await addAccount(broker.folder, 'anna');
  browser = await startChromium();
});
afterEach(async () => {
  await tab?.page.context().close();
});
afterAll(() => browser?.close());

const facts = {
  cpuModel: 'AMD Ryzen 7 7840U w/ Radeon 780M Graphics',
  memoryBytes: 16 * 2 ** 30,
  bootMode: 'uefi',
  clientVersion: '0.1.0',
};

async function waitingMachine() {
  const { machineId } = await enrol(newMachine());
  const body = { machineId, facts, signature: signed('pair', machineId) };
  const { json } = await call(broker.url, 'POST', '/v1/pairings', { body });
  const { userCode, verificationUriComplete } = json as { userCode: string; verificationUriComplete: string };
  return { machineId, userCode, link: verificationUriComplete };
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Account').fill('anna');
  await page.getByLabel('Secret').fill(secret);
  await page.keyboard.press('Enter');
}

/** Nothing is cut off at the side. */
async function fitsWidth(page: Page): Promise<void> {
  const [content, window] = await page
    .locator('html')
    .evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth]);
  expect(content).toBeLessThanOrEqual(window);
}

describe.skipIf(!hasChromium)(`the pairing page${withoutChromium}`, () => {
  it.each([
    { width: 360, scheme: 'light' },
    { width: 360, scheme: 'dark' },
    { width: 1280, scheme: 'light' },
  ] as const)(
    'pairs a machine from a scanned code at $width pixels, $scheme, by keyboard alone',
    async ({ width, scheme }) => {
      const { machineId, userCode, link } = await waitingMachine();
      const look = { viewport: { width, height: 740 }, colorScheme: scheme, javaScriptEnabled: true };
      tab = await openVerifier(browser, link, look);
      const { page } = tab;
      const picture = (name: string) => screenshot(tab, `pairing-${name}-${width}-${scheme}`);
      await picture('1-sign-in');
      await fitsWidth(page);
      await signIn(page);
      const code = page.getByLabel("Code on the machine's screen");
      await code.waitFor();
      expect(await code.inputValue()).toBe(userCode);
      await picture('2-code');
      await fitsWidth(page);
      await code.press('Enter');
      await page.getByRole('heading', { name: 'Is it yours?' }).waitFor();
      expect(await page.locator('main').innerText()).toContain(machineId.slice(0, 8));
      await picture('3-decide');
      await fitsWidth(page);
      const yes = page.getByRole('button', { name: 'Yes, pair it' });
      await yes.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('status').waitFor();
      expect(await page.getByRole('status').innerText()).toContain('is yours');
      await picture('4-done');
      await fitsWidth(page);
      const { json } = await call(broker.url, 'POST', '/v1/pairings', {
        body: { machineId, facts, signature: signed('pair', machineId) },
      });
      expect(json).toEqual({ status: 'paired', account: 'anna', lasting: true });
      expect(tab.complaints).toEqual([]);
      expect(new Set(tab.requests.map((each) => new URL(each).origin))).toEqual(new Set([new URL(broker.url).origin]));
    },
  );

  it('says a wrong code aloud and keeps what was typed', async () => {
    tab = await openVerifier(browser, `${broker.url}/pair`, { viewport: { width: 360, height: 740 } });
    const { page } = tab;
    await signIn(page);
    await page.getByLabel("Code on the machine's screen").fill('bbbb bbbb');
    await page.keyboard.press('Enter');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('No machine shows this code now');
    expect(await page.getByLabel("Code on the machine's screen").inputValue()).toBe('bbbb bbbb');
    await screenshot(tab, 'pairing-wrong-code-360');
  });

  it('works without scripts, and forgets a seller who signs out', async () => {
    const context: BrowserContext = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${broker.url}/pair`);
    await signIn(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Secret').waitFor();
    await page.goBack();
    expect(await page.getByLabel("Code on the machine's screen").count()).toBe(0);
    await context.close();
  });

  it('carries no cookie to who comes from another site', async () => {
    const { userCode } = await waitingMachine();
    tab = await openVerifier(browser, `${broker.url}/pair`);
    await signIn(tab.page);
    await tab.page.getByLabel("Code on the machine's screen").waitFor();
    const csrf = await tab.page.locator('input[name=csrf]').first().getAttribute('value');
    const port = new URL(broker.url).port;
    // Another site that knows even the form's token: its form arrives without the cookie.
    await tab.page.goto('data:text/html,<p>elsewhere');
    await tab.page.setContent(
      `<form method="post" action="https://127.0.0.1:${port}/pair/decide"><input name="csrf" value="${csrf}"><input name="code" value="${userCode}"><input name="decision" value="confirm"><button>Win</button></form>`,
    );
    await tab.page.getByRole('button', { name: 'Win' }).click();
    await tab.page.getByLabel('Secret').waitFor();
    expect(await tab.page.locator('main').innerText()).not.toContain('is yours');
  });
});
