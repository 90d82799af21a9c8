import { gunzipSync } from 'node:zlib';
import fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { pageRoutes } from './page.ts';

const page = `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; connect-src 'self'"><p>…`;
const app = fastify();
app.register(pageRoutes, { page });
afterAll(() => app.close());

const get = (headers: Record<string, string> = {}) => app.inject({ method: 'GET', url: '/verify/', headers });

describe('GET /verify/', () => {
  it('hands out the page as it is', async () => {
    const answer = await get();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body).toBe(page);
  });

  it("repeats the page's own policy and forbids frames, guessed types and referrers", async () => {
    const { headers } = await get();
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
    });
  });

  it.each(['gzip', 'br, gzip', 'gzip;q=0.5', 'GZIP ; q=1.0'])(
    'packs it for a browser that takes "%s"',
    async (coding) => {
      const answer = await get({ 'accept-encoding': coding });
      expect(answer.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(answer.rawPayload).toString()).toBe(page);
    },
  );

  it.each(['br', 'gzip;q=0', 'gzip;q=0.00', 'xgzip', ''])('does not pack it for "%s"', async (coding) => {
    const answer = await get({ 'accept-encoding': coding });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body).toBe(page);
  });

  it('says that a kept copy is still the page', async () => {
    const tag = String((await get()).headers.etag);
    const answer = await get({ 'if-none-match': tag });
    expect(answer.statusCode).toBe(304);
    expect(answer.body).toBe('');
    expect((await get({ 'if-none-match': '"another"' })).statusCode).toBe(200);
  });

  it('is found without the last slash', async () => {
    const answer = await app.inject({ method: 'GET', url: '/verify' });
    expect(answer.statusCode).toBe(308);
    expect(answer.headers.location).toBe('/verify/');
  });
});
