/** Lets the engine compile the arithmetic of curves and hashes while the reader still looks for files: the first verdict comes sooner. */
import type { AttestCrypto, CurveName } from '../attest/crypto/crypto.ts';
import { fromHex } from '../shared/bytes.ts';

/** A signature that nobody made, under the curve's base point (SEC 2): refused only after all the arithmetic. */
const BASE_POINTS: { readonly [curve in Exclude<CurveName, 'P-521'>]: { readonly x: string; readonly y: string } } = {
  'P-256': {
    x: '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
    y: '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  },
  'P-384': {
    x: 'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7',
    y: '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
  },
};
const ROUNDS = 3;
/** As many as an event log of a usual length needs. */
const HASHES = 150;

/** One piece of work per call of `schedule`, so that nobody waits for it. */
export function warmUp(crypto: AttestCrypto, schedule: (work: () => void) => void): void {
  const rounds = Array.from({ length: ROUNDS }, () => ['P-256', 'P-384'] as const).flat();
  const next = (): void => {
    const curve = rounds.shift();
    if (curve === undefined) return;
    verifyNothing(curve, crypto);
    for (let length = 0; length < HASHES; length += 1) crypto.hash('sha256', new Uint8Array(length));
    schedule(next);
  };
  schedule(next);
}

export function verifyNothing(curve: keyof typeof BASE_POINTS, crypto: AttestCrypto): boolean {
  const x = fromHex(BASE_POINTS[curve].x);
  const y = fromHex(BASE_POINTS[curve].y);
  const signature = new Uint8Array(2 * x.length).fill(0x55);
  return crypto.verify({
    key: { kind: 'ec', curve, x, y },
    scheme: 'ecdsa',
    hash: 'sha256',
    data: new Uint8Array(64),
    signature,
  });
}
