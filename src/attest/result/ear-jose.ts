/**
 * EAR as a JWT, signed and verified with ES256 by jose, in Node and in browsers. What a token says of its own keys or
 * algorithm (`jwk`, `jku`, `x5c`, `alg`) decides nothing: keys come from the caller and ES256 is the only algorithm.
 */
import { CompactSign, calculateJwkThumbprint, compactVerify, errors, importJWK, type JWK } from 'jose';
import { EAR_MEDIA_TYPE, type EarClaims } from './ear.ts';
import { EarError, type EarExpectations, type EarResult, malformed, readEarClaims } from './ear-read.ts';

const ALGORITHM = 'ES256';
/** RFC 9782 §4.2 without `application/`, as RFC 7515 §4.1.9 has it. Older verifiers write `JWT`. */
const TYPE = 'eat+jwt';
const TYPES = [TYPE, `application/${TYPE}`, 'jwt'];
/** With raw evidence inside, a result has at most what a report has. */
export const MAX_EAR_CHARACTERS = 8 * 1024 * 1024;
const MAX_HEADER_CHARACTERS = 8192;
const MAX_KEYS = 16;
/** Three parts; the last has 64 bytes, so its last character has four spare bits, which must be zero: one spelling only. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]$/;

export interface EarSigner {
  /** P-256: a JWK, a CryptoKey or a KeyObject. */
  readonly privateKey: Parameters<CompactSign['sign']>[0];
  /** RFC 7638 thumbprint of the public key; see `keyIdOf`. */
  readonly keyId: string;
}

/** Compact JWS: header.claims.signature. */
export function signEar(claims: EarClaims, { privateKey, keyId }: EarSigner): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: keyId })
    .sign(privateKey);
}

/** A public key as its holder publishes it: an entry of a JWK Set (RFC 7517). Members of a private key are left out. */
export async function publicEarKey({ kty, crv, x, y }: JWK): Promise<JWK> {
  const key = { kty, crv, x, y } as JWK;
  return { ...key, use: 'sig', alg: ALGORITHM, kid: await keyIdOf(key) };
}

export function keyIdOf(key: JWK): Promise<string> {
  return calculateJwkThumbprint(key, 'sha256');
}

/** Verifies with `keys` and reads. @throws EarError; nothing of the claims is looked at before the signature is proven */
export async function readEar(token: string, keys: readonly JWK[], expected: EarExpectations): Promise<EarResult> {
  const payload = await verify(token, keys);
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw malformed('its claims are not JSON', cause);
  }
  return readEarClaims(claims, expected);
}

async function verify(token: string, keys: readonly JWK[]): Promise<Uint8Array> {
  if (token.length > MAX_EAR_CHARACTERS) {
    throw new EarError(
      'EAR_TOO_LARGE',
      `the result has ${token.length} characters, at most ${MAX_EAR_CHARACTERS} are read`,
    );
  }
  const header = readHeader(token);
  if (header.alg !== ALGORITHM) {
    throw new EarError('EAR_ALGORITHM_REFUSED', `the result is signed with ${shown(header.alg)}, not ${ALGORITHM}`, {
      nextStep: 'do not rely on it: none and keyed hashes prove nothing to a third party',
    });
  }
  if (header.typ !== undefined && !TYPES.includes(String(header.typ).toLowerCase())) {
    throw new EarError('EAR_TYPE_WRONG', `the token says it is ${shown(header.typ)}, not ${TYPE}`, {
      nextStep: `fetch the attestation result itself: its media type is ${EAR_MEDIA_TYPE}`,
    });
  }
  if (!COMPACT.test(token)) throw malformed('it is not three parts of base64url with a signature of 64 bytes');
  const candidates = usableKeys(keys, header.kid);
  for (const key of candidates) {
    const payload = await verifyWith(token, key);
    if (payload !== null) return payload;
  }
  throw new EarError(
    'EAR_SIGNATURE_INVALID',
    'no key that was given signed this result: it was altered or is of another verifier',
    {
      nextStep: 'fetch result and key again, the key from a source you trust',
    },
  );
}

function readHeader(token: string): { readonly alg?: unknown; readonly typ?: unknown; readonly kid?: unknown } {
  const end = token.indexOf('.');
  if (end < 1 || end > MAX_HEADER_CHARACTERS) throw malformed('it does not begin with a short header and a dot');
  const encoded = token.slice(0, end);
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(encoded)) throw new Error('the header is not base64url');
    const header: unknown = JSON.parse(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new Error('no object');
    return header;
  } catch (cause) {
    throw malformed('its header cannot be read', cause);
  }
}

/** P-256 signature keys; where the token names one of them, that one only. */
function usableKeys(keys: readonly JWK[], keyId: unknown): readonly JWK[] {
  const usable = keys.filter(({ kty, crv, use, alg }) => {
    const right = kty === 'EC' && crv === 'P-256';
    return right && (use === undefined || use === 'sig') && (alg === undefined || alg === ALGORITHM);
  });
  const named = usable.filter((key) => key.kid === undefined || keyId === undefined || key.kid === keyId);
  if (named.length > 0 && named.length <= MAX_KEYS) return named;
  throw new EarError(
    'EAR_KEY_UNKNOWN',
    named.length > 0
      ? `${named.length} keys were given, at most ${MAX_KEYS} are tried`
      : `none of the ${keys.length} keys given is the P-256 key ${shown(keyId)} of this result`,
    { nextStep: "take the verifier's key from a source you trust; a broker's is at GET /v1/broker/keys" },
  );
}

/** Null: not signed with this key. */
async function verifyWith(token: string, { kty, crv, x, y }: JWK): Promise<Uint8Array | null> {
  let key: Awaited<ReturnType<typeof importJWK>>;
  try {
    key = await importJWK({ kty, crv, x, y } as JWK, ALGORITHM);
  } catch {
    return null; // a point that is not on the curve signs nothing
  }
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [ALGORITHM] });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return null;
    if (error instanceof errors.JOSEError) throw malformed(error.message, error);
    throw error;
  }
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);
