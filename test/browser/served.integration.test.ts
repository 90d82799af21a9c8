/** The verifier's page as a real broker hands it out: the newest report of a machine, judged by who does not trust the broker. */
import { X509Certificate } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtVerifierPage, currentVerifierPage } from '../../scripts/verifier-page.ts';
import { createServer } from '../../src/broker/server.ts';
import {
  acceptedImage,
  attester,
  test as broker,
  challenge,
  enrol,
  identity,
  submit,
  useBroker,
} from '../../src/broker/testing/test-broker.ts';
import { encodeEvidence } from '../../src/protocol/evidence-document.ts';
import { fromHex, toBase64 } from '../../src/shared/bytes.ts';
import {
  addFiles,
  hasChromium,
  openVerifier,
  shown,
  startChromium,
  type VerifierTab,
  verify,
  withoutChromium,
} from './chromium.ts';

let browser: Browser;
let tab: VerifierTab;
let app: Awaited<ReturnType<typeof createServer>>;
let url: string;
let machineId: string;
let nonce: string;
let others: readonly { name: string; content: string }[];

useBroker();
beforeAll(async () => {
  if (!hasChromium) return;
  const rate = { burst: 2000, perSecond: 1000, maxRequesters: 10 };
  app = await createServer(broker.context, { rate, connections: 100 }, await currentVerifierPage());
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  others = [
    { name: 'reference-values.json', content: JSON.stringify(acceptedImage) },
    { name: 'trust.pem', content: new X509Certificate(attester.authority.certificate).toString() },
  ];
  const prior = attester.attest({ challenge: new Uint8Array(32), brokerId: fromHex(identity.brokerId) });
  ({ machineId } = await enrol({ ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) }));
  const asked = await challenge(machineId);
  const evidence = attester.attest({ challenge: fromHex(asked.challenge), brokerId: fromHex(asked.brokerId) });
  const answer = await submit(machineId, asked.challengeId, encodeEvidence(evidence));
  expect(answer.json.status, answer.text).toBe('accepted');
  nonce = asked.challenge;
  browser = await startChromium();
});
afterEach(async () => {
  await tab?.page.context().close();
});
afterAll(async () => {
  await browser?.close();
  await app?.close();
});

describe.skipIf(!hasChromium)(`the page of a broker${withoutChromium}`, () => {
  it('takes the report that its link names, from this broker alone, and accepts it', async () => {
    const report = `/v1/machines/${machineId}/report`;
    tab = await openVerifier(browser, `${url}/verify/#report=${report}&nonce=${nonce}&broker=${identity.brokerId}`);
    await tab.page.locator('[data-kind=report]').waitFor();
    await addFiles(tab, others);
    const result = await verify(tab);
    expect(result).toMatchObject({ status: 'accepted', codes: [] });
    expect(tab.requests.filter((each) => !each.startsWith('data:')).map((each) => new URL(each).pathname)).toEqual([
      '/verify/',
      report,
    ]);
    expect(
      new Set(tab.requests.filter((each) => !each.startsWith('data:')).map((each) => new URL(each).origin)),
    ).toEqual(new Set([new URL(url).origin]));
    expect(tab.complaints).toEqual([]);
  });

  it('lists the machines when asked, and each leads to its report', async () => {
    tab = await openVerifier(browser, `${url}/verify`);
    expect(new URL(tab.page.url()).pathname).toBe('/verify/');
    expect(tab.requests.some((each) => each.includes('/v1/'))).toBe(false);
    await tab.page.getByText('Take a report of this broker').click();
    await tab.page.getByRole('link', { name: machineId.slice(0, 16) }).click();
    await tab.page.locator('[data-kind=report]').waitFor();
    await addFiles(tab, others);
    await tab.page.locator('#nonce').fill(nonce);
    expect((await verify(tab)).status).toBe('accepted');
  });

  it('gives a report to the page from disk as well, when a person asks for it there', async () => {
    tab = await openVerifier(browser, pathToFileURL(builtVerifierPage).href);
    await addFiles(tab, others);
    await tab.page.getByText('Fetch from a link instead').click();
    await tab.page.getByLabel('Link to a report').fill(`${url}/v1/machines/${machineId}/report`);
    await tab.page.getByRole('button', { name: 'Fetch' }).click();
    await tab.page.locator('[data-kind=report]').waitFor();
    await tab.page.locator('#nonce').fill(nonce);
    expect((await verify(tab)).status).toBe('accepted');
  });

  it('refuses the report for another broker than the one it is from', async () => {
    tab = await openVerifier(browser, `${url}/verify/#report=/v1/machines/${machineId}/report&nonce=${nonce}`);
    await tab.page.locator('[data-kind=report]').waitFor();
    await addFiles(tab, others);
    await tab.page.getByText('Broker, kinds of TPM, time').click();
    await tab.page.locator('#broker').fill('00'.repeat(32));
    expect(await verify(tab)).toMatchObject({ status: 'refused', codes: ['ACTIVATION_BROKER_MISMATCH'] });
  });

  it('says what is wrong with a link to a report that is not there', async () => {
    tab = await openVerifier(browser, `${url}/verify/#report=/v1/machines/${'00'.repeat(32)}/report`);
    const result = await shown(tab);
    expect(result.status).toBe('unjudged');
    expect(result.banner).toContain('LINK_FAILED');
    expect(result.banner).toContain('the server answered 404');
  });

  it('asks before it follows a link to another place', async () => {
    tab = await openVerifier(browser, `${url}/verify/#report=https://127.0.0.1:1/report.json`);
    await tab.page.locator('#notice').getByText('127.0.0.1:1').waitFor();
    expect(await tab.page.locator('#link').inputValue()).toBe('https://127.0.0.1:1/report.json');
    expect(tab.requests.filter((each) => !each.startsWith('data:'))).toHaveLength(1);
  });

  it('is framed by nobody', async () => {
    tab = await openVerifier(browser, 'about:blank');
    await tab.page.setContent(`<iframe src="${url}/verify/"></iframe>`);
    await expect.poll(() => tab.page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/');
    expect(await tab.page.frameLocator('iframe').locator('#inputs').count()).toBe(0);
  });
});
