import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { challenge, verdictOf } from '../testing/verdicts-node.ts';
import { type EarContext, earClaims } from './ear.ts';
import { keyIdOf, publicEarKey, readEar, signEar } from './ear-jose.ts';
import { EarError } from './ear-read.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spkiPem = pair.publicKey.export({ type: 'spki', format: 'pem' });
const now = { time: new Date('2026-11-21T05:01:00Z') };
const context: EarContext = {
  verifier: { developer: 'cpushare-live', build: 'cpushare 0.1.0' },
  issuedAt: new Date('2026-11-21T05:00:00Z'),
  expiresAt: new Date('2026-11-21T05:20:00Z'),
  challenge,
  machineId: 'ab'.repeat(32),
  referenceIds: [],
  policyId: 'ni:///sha-256;x',
  sessionKeySha256: 'ef'.repeat(32),
};
const claims = earClaims(verdictOf(), context);
const jwkOf = (key: typeof pair.publicKey): JWK => key.export({ format: 'jwk' }) as JWK;
let key: JWK;
let token: string;
beforeAll(async () => {
  key = await publicEarKey(jwkOf(pair.publicKey));
  token = await signEar(claims, { privateKey: pair.privateKey, keyId: String(key.kid) });
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token with whatever header, signed by whatever means. */
const forge = (header: object, signature: (input: string) => Buffer, payload: unknown = claims): string => {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signature(input).toString('base64url')}`;
};
const byKey = (input: string): Buffer =>
  sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
const refusal = (given: string, keys: readonly JWK[] = [key], expected = now) =>
  readEar(given, keys, expected).then(
    () => 'ACCEPTED',
    (error: unknown) => (error instanceof EarError ? error.code : `crash: ${error}`),
  );

describe('a signed result', () => {
  it('is read with the key that signed it', async () => {
    const result = await readEar(token, [key], now);
    expect(result.submodules.machine?.verifierClaims.verdict).toBe('accepted');
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'ES256',
      typ: 'eat+jwt',
      kid: key.kid,
    });
  });

  it('has a signature that node:crypto accepts as well, over the two parts before it', () => {
    const [header, payload, signature = ''] = token.split('.');
    const key = { key: pair.publicKey, dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())).toEqual(JSON.parse(JSON.stringify(claims)));
  });

  it("may be an older verifier's: type JWT, its time in floating form, no expiry", async () => {
    const old = `{"eat_profile":"tag:github.com,2023:veraison/ear","iat":1.795237200e+09,"ear.verifier-id":{"build":"b","developer":"d"},"submods":{"test":{"ear.status":"affirming"}}}`;
    const input = `${part({ alg: 'ES256', typ: 'JWT' })}.${Buffer.from(old).toString('base64url')}`;
    const given = `${input}.${byKey(input).toString('base64url')}`;
    expect((await readEar(given, [key], { ...now, maxAgeWithoutExpiryMs: 3_600_000 })).submodules.test?.status).toBe(
      'affirming',
    );
    expect(await refusal(given)).toBe('EAR_EXPIRY_MISSING');
  });

  it('is read with a key from a PEM, which has no id', async () => {
    const bare = jwkOf(createPublicKey(spkiPem));
    expect((await readEar(token, [bare], now)).profile).toBe('tag:ietf.org,2026:rats/ear#04');
  });

  it('finds its key among others, and the id is the thumbprint of the key', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(async () => publicEarKey(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))),
    );
    expect(await refusal(token, [...others, key])).toBe('ACCEPTED');
    expect(await refusal(token, others)).toBe('EAR_KEY_UNKNOWN');
    expect(
      await refusal(
        token,
        others.map(({ kid: _, ...each }) => each),
      ),
    ).toBe('EAR_SIGNATURE_INVALID');
    expect(await keyIdOf(jwkOf(pair.publicKey))).toBe(key.kid);
  });

  it('publishes no part of a private key', async () => {
    expect(Object.keys(await publicEarKey(jwkOf(pair.privateKey))).sort()).toEqual(
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'].sort(),
    );
  });
});

describe('a result that must not pass', () => {
  const es256 = { alg: 'ES256', typ: 'eat+jwt' };
  const hmac = (input: string) => createHmac('sha256', spkiPem).update(input).digest();
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  it.each([
    { name: 'alg none', given: () => forge({ alg: 'none' }, () => Buffer.alloc(0)), code: 'EAR_ALGORITHM_REFUSED' },
    { name: 'alg None', given: () => forge({ alg: 'None' }, () => Buffer.alloc(0)), code: 'EAR_ALGORITHM_REFUSED' },
    { name: 'no alg', given: () => forge({}, byKey), code: 'EAR_ALGORITHM_REFUSED' },
    { name: 'alg in a list', given: () => forge({ alg: ['ES256'] }, byKey), code: 'EAR_ALGORITHM_REFUSED' },
    {
      name: 'HS256 keyed with the public key',
      given: () => forge({ alg: 'HS256' }, hmac),
      code: 'EAR_ALGORITHM_REFUSED',
    },
    { name: 'HMAC under the name ES256', given: () => forge(es256, hmac), code: 'EAR_MALFORMED' },
    { name: 'ES384', given: () => forge({ alg: 'ES384' }, byKey), code: 'EAR_ALGORITHM_REFUSED' },
    { name: 'no signature', given: () => forge(es256, () => Buffer.alloc(0)), code: 'EAR_MALFORMED' },
    { name: 'a signature of zeros', given: () => forge(es256, () => Buffer.alloc(64)), code: 'EAR_SIGNATURE_INVALID' },
    {
      name: 'a key of its own',
      given: () => forge({ ...es256, jwk: jwkOf(pair.publicKey) }, () => Buffer.alloc(64)),
      code: 'EAR_SIGNATURE_INVALID',
    },
    {
      name: 'an extension that must be understood',
      given: () => forge({ ...es256, crit: ['x'], x: 1 }, byKey),
      code: 'EAR_MALFORMED',
    },
    {
      name: 'unencoded claims',
      given: () => forge({ ...es256, crit: ['b64'], b64: false }, byKey),
      code: 'EAR_MALFORMED',
    },
    { name: 'another type', given: () => forge({ ...es256, typ: 'at+jwt' }, byKey), code: 'EAR_TYPE_WRONG' },
    {
      name: 'another profile',
      given: () => forge(es256, byKey, { ...claims, eat_profile: 'tag:x' }),
      code: 'EAR_PROFILE_UNKNOWN',
    },
    { name: 'claims that are no object', given: () => forge(es256, byKey, []), code: 'EAR_MALFORMED' },
    { name: 'an empty text', given: () => '', code: 'EAR_MALFORMED' },
    { name: 'dots', given: () => '...', code: 'EAR_MALFORMED' },
    { name: 'five parts', given: () => `${token}.x.y`, code: 'EAR_MALFORMED' },
    { name: '5 MB of zeros', given: () => '0'.repeat(5_000_000), code: 'EAR_MALFORMED' },
    {
      name: '5 MB behind a good header',
      given: () => `${token.split('.')[0]}.${'A'.repeat(5_000_000)}.${token.split('.')[2]}`,
      code: 'EAR_SIGNATURE_INVALID',
    },
    { name: 'more than is read', given: () => `${token}${'A'.repeat(9_000_000)}`, code: 'EAR_TOO_LARGE' },
    {
      name: 'a deep header',
      given: () => `${Buffer.from('['.repeat(5000)).toString('base64url')}.a.b`,
      code: 'EAR_MALFORMED',
    },
  ])('$name', async ({ given, code }) => {
    expect(await refusal(given())).toBe(code);
  });

  it('an expired one', async () => {
    expect(await refusal(token, [key], { time: new Date('2026-11-21T05:20:00Z') })).toBe('EAR_EXPIRED');
  });

  it('one whose keys are of another kind', async () => {
    expect(await refusal(token, [jwkOf(p384.publicKey)])).toBe('EAR_KEY_UNKNOWN');
    expect(await refusal(token, [{ kty: 'oct', k: 'AAAA' }])).toBe('EAR_KEY_UNKNOWN');
    expect(await refusal(token, [{ ...key, use: 'enc' }])).toBe('EAR_KEY_UNKNOWN');
    expect(await refusal(token, [])).toBe('EAR_KEY_UNKNOWN');
    const { x: _, ...pointless } = jwkOf(pair.publicKey);
    expect(await refusal(token, [pointless as JWK])).toBe('EAR_SIGNATURE_INVALID');
  });

  it('one with any character changed', async () => {
    // also the last one, whose spare bits decoders ignore: another spelling of the same bytes is no valid result
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'ABCDwxyz0189-_.'), async (at, character) => {
        fc.pre(token[at] !== character);
        const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`;
        expect(await refusal(changed)).toMatch(/^EAR_/);
      }),
      {
        numRuns: 400,
        examples: [
          [token.length - 1, '-'],
          [token.length - 1, 'z'],
        ],
      },
    );
  });
});
