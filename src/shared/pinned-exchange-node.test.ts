/** Answers of a hostile or broken peer, on real TLS: each ends in one coded error, none is read without bound. */
import { createHash, X509Certificate } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { newIdentityPem } from '../broker/identity.ts';
import { exchangePinned, peerOf } from './pinned-exchange-node.ts';

const pem = newIdentityPem();
const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
const pin = createHash('sha256').update(spki).digest('hex');

let server: (Server & { closeAllConnections?: () => void }) | undefined;
afterEach(() => {
  server?.closeAllConnections?.();
  server?.close();
});

async function listen(listener: RequestListener, tls = true): Promise<string> {
  const made = tls ? createTlsServer({ key: pem, cert: pem }, listener) : createServer(listener);
  server = made;
  await new Promise<void>((ready) => made.listen(0, '127.0.0.1', ready));
  return `https://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const get = (url: string, expectedPin = pin, timeoutMs = 10_000) =>
  exchangePinned(peerOf(url, expectedPin), {
    method: 'GET',
    path: '/x',
    maxAnswerBytes: 1000,
    signal: AbortSignal.timeout(timeoutMs),
  });

describe('exchangePinned', () => {
  it('gives status and text of an answer', async () => {
    const url = await listen((_request, response) => response.writeHead(418).end('short and stout'));
    expect(await get(url)).toEqual({ status: 418, text: 'short and stout' });
  });

  it('sends nothing to a peer with another key', async () => {
    let requests = 0;
    const url = await listen((_request, response) => {
      requests += 1;
      response.end();
    });
    await expect(get(url, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'BROKER_PIN_MISMATCH' });
    expect(requests).toBe(0);
  });

  it('stops reading an answer without end', async () => {
    let sentBytes = 0;
    const url = await listen((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(500))) sentBytes += 500;
      };
      response.on('drain', more);
      response.on('error', () => undefined);
      more();
    });
    await expect(get(url)).rejects.toMatchObject({ code: 'BROKER_ANSWER_INVALID' });
    expect(sentBytes).toBeGreaterThan(1000);
  });

  it('names an answer that breaks off, and one that never comes', async () => {
    const cut = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setImmediate(() => response.destroy());
    });
    await expect(get(cut)).rejects.toMatchObject({ code: 'BROKER_CUT_OFF' });
    server?.close();
    const silent = await listen(() => undefined);
    await expect(get(silent, pin, 200)).rejects.toMatchObject({ code: 'BROKER_CUT_OFF' });
  });

  it('names a peer that does not speak TLS, and one that is not there', async () => {
    const plain = await listen((_request, response) => response.end(), false);
    await expect(get(plain)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
    await expect(get('https://127.0.0.1:1')).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: '127.0.0.1:1 does not answer (connection refused)',
    });
  });
});
