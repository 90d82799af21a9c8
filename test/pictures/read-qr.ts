/** The QR code in a picture, read by jsQR as a phone would; null where there is none. */
import { createRequire } from 'node:module';
import { readPng } from './read-png.ts';

// CommonJS with a default that TypeScript and Node.js see differently.
const jsQR = createRequire(import.meta.url)('jsqr') as typeof import('jsqr').default;

export function readQr(png: Buffer): string | null {
  const { width, height, data } = readPng(png);
  return jsQR(data, width, height)?.data ?? null;
}
