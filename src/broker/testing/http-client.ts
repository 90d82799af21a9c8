/** A client for tests: real TLS, the certificate's key shown, no certificate authority asked. */
import { createHash } from 'node:crypto';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly contentType: string;
  /** SHA-256 of the server key's SubjectPublicKeyInfo. */
  readonly pin: string;
}

export interface Sending {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array;
  readonly contentType?: string;
}

export function call(baseUrl: string, method: string, path: string, sending: Sending = {}): Promise<Answer> {
  const payload = sending.raw ?? (sending.body === undefined ? undefined : JSON.stringify(sending.body));
  const headers = payload === undefined ? {} : { 'content-type': sending.contentType ?? 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, baseUrl), { method, headers, agent: false, rejectUnauthorized: false });
    outgoing.on('response', (incoming) => {
      const certificate = (incoming.socket as TLSSocket).getPeerX509Certificate();
      const key = certificate?.publicKey.export({ type: 'spki', format: 'der' }) ?? '';
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: incoming.statusCode ?? 0,
          text,
          json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
          contentType: incoming.headers['content-type'] ?? '',
          pin: createHash('sha256').update(key).digest('hex'),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}
