/** The browser's cryptography says what node:crypto says: on valid, tampered and malformed signatures and keys. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  generatePrimeSync,
  type KeyObject,
  privateEncrypt,
  sign,
} from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../shared/bytes.ts';
import { CURVE_BYTES, HASH_BYTES, type HashName, type SignatureCheck, type VerificationKey } from './crypto.ts';
import { nobleAttestCrypto } from './crypto-noble.ts';
import { nodeAttestCrypto } from './crypto-node.ts';

const HASHES = Object.keys(HASH_BYTES) as HashName[];
const CURVES = ['P-256', 'P-384', 'P-521'] as const;
const data = new TextEncoder().encode('what the TPM signs');

function spki(key: KeyObject): VerificationKey {
  return { kind: 'spki', der: new Uint8Array(key.export({ type: 'spki', format: 'der' })) };
}

/** The answer both give; a difference fails the test. */
function agreed(check: SignatureCheck): boolean {
  const answer = nobleAttestCrypto.verify(check);
  expect(answer).toBe(nodeAttestCrypto.verify(check));
  return answer;
}

const flipped = (bytes: Uint8Array, index: number, mask = 0x01): Uint8Array =>
  bytes.map((byte, at) => (at === index ? byte ^ mask : byte));

const ecKeys = CURVES.map((curve) => ({ curve, ...generateKeyPairSync('ec', { namedCurve: curve }) }));
const rsaKeys = [
  { bits: 2048, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  { bits: 2049, ...rsaPairOf2049Bits() },
  { bits: 2050, ...generateKeyPairSync('rsa', { modulusLength: 2050 }) },
  { bits: 3072, ...generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }) },
  { bits: 4096, ...generateKeyPairSync('rsa', { modulusLength: 4096 }) },
];

describe('hashes', () => {
  it.each(HASHES)('%s as node:crypto', (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(toHex(nobleAttestCrypto.hash(name, bytes))).toBe(toHex(nodeAttestCrypto.hash(name, bytes)));
      }),
    );
  });
});

describe.each(ecKeys)('ECDSA on $curve', ({ curve, privateKey, publicKey }) => {
  const width = CURVE_BYTES[curve];
  const checkOf = (hash: HashName): SignatureCheck => {
    const signature = new Uint8Array(sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    return { key: spki(publicKey), scheme: 'ecdsa', hash, data, signature };
  };
  const good = checkOf('sha256');
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const coordinate = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
  const plain = { kind: 'ec', curve, x: coordinate(x), y: coordinate(y) } as const;

  it.each(HASHES)('accepts a signature over %s, under the key in both forms', (hash) => {
    expect(agreed(checkOf(hash))).toBe(true);
    expect(agreed({ ...checkOf(hash), key: plain })).toBe(true);
  });

  it('accepts both halves of s: a TPM makes either', () => {
    const order = ORDERS[curve];
    const s = BigInt(`0x${toHex(good.signature.subarray(width))}`);
    const other = fromHex((order - s).toString(16).padStart(2 * width, '0'));
    expect(agreed({ ...good, signature: concatBytes(good.signature.subarray(0, width), other) })).toBe(true);
  });

  it('refuses any flipped byte of signature and message', () => {
    for (let index = 0; index < good.signature.length; index += 1) {
      expect(agreed({ ...good, signature: flipped(good.signature, index) })).toBe(false);
    }
    for (const index of data.keys()) expect(agreed({ ...good, data: flipped(data, index) })).toBe(false);
  });

  it.each([
    { name: 'nothing', change: () => new Uint8Array() },
    { name: 'zero for r', change: (s: Uint8Array) => concatBytes(new Uint8Array(width), s.subarray(width)) },
    { name: 'zero for s', change: (s: Uint8Array) => concatBytes(s.subarray(0, width), new Uint8Array(width)) },
    { name: 'zero for both', change: () => new Uint8Array(2 * width) },
    { name: 'all ones', change: () => new Uint8Array(2 * width).fill(0xff) },
    { name: 'one byte more', change: (s: Uint8Array) => concatBytes(s, Uint8Array.of(0)) },
    { name: 'one byte less', change: (s: Uint8Array) => s.subarray(1) },
    {
      name: 'the order for s',
      change: (s: Uint8Array) => concatBytes(s.subarray(0, width), fromHex(orderHex(curve, width))),
    },
  ])('refuses a signature of $name', ({ change }) => {
    expect(agreed({ ...good, signature: change(good.signature) })).toBe(false);
  });

  it.each([
    { name: 'off the curve', key: { ...plain, y: flipped(plain.y, width - 1) } },
    { name: 'at the origin', key: { ...plain, x: new Uint8Array(width), y: new Uint8Array(width) } },
    { name: 'beyond the field', key: { ...plain, x: new Uint8Array(width).fill(0xff) } },
  ])('refuses a point $name', ({ key }) => expect(agreed({ ...good, key })).toBe(false));

  it('refuses the signature under another scheme or hash', () => {
    expect(agreed({ ...good, scheme: 'rsassa' })).toBe(false);
    expect(agreed({ ...good, scheme: 'rsapss' })).toBe(false);
    expect(agreed({ ...good, hash: 'sha384' })).toBe(false);
  });

  it('accepts no key that node:crypto refuses: cut, lengthened, any bit flipped', () => {
    if (good.key.kind !== 'spki') throw new Error('made as SPKI');
    refusesWhatNodeRefuses(good, good.key.der);
  });
});

describe.each(rsaKeys)('RSA $bits', ({ bits, privateKey, publicKey }) => {
  const signed = (scheme: 'rsassa' | 'rsapss', hash: HashName, saltLength: number): SignatureCheck => {
    const padding = scheme === 'rsassa' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_PSS_PADDING;
    const signature = new Uint8Array(sign(hash, data, { key: privateKey, padding, saltLength }));
    return { key: spki(publicKey), scheme, hash, data, signature };
  };
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const plain = {
    kind: 'rsa',
    modulus: new Uint8Array(Buffer.from(n, 'base64url')),
    exponent: new Uint8Array(Buffer.from(e, 'base64url')),
  } as const;

  describe.each(['rsassa', 'rsapss'] as const)('%s', (scheme) => {
    const good = signed(scheme, 'sha256', constants.RSA_PSS_SALTLEN_DIGEST);

    it.each(HASHES)('accepts a signature over %s, under the key in both forms', (hash) => {
      const check = signed(scheme, hash, constants.RSA_PSS_SALTLEN_DIGEST);
      expect(agreed(check)).toBe(true);
      expect(agreed({ ...check, key: plain })).toBe(true);
      expect(agreed({ ...check, key: { ...plain, modulus: concatBytes(Uint8Array.of(0), plain.modulus) } })).toBe(true);
    });

    it('refuses flipped bytes of signature and message', () => {
      for (let index = 0; index < good.signature.length; index += 7) {
        expect(agreed({ ...good, signature: flipped(good.signature, index) })).toBe(false);
      }
      for (const index of data.keys()) expect(agreed({ ...good, data: flipped(data, index) })).toBe(false);
    });

    it.each([
      { name: 'nothing', change: () => new Uint8Array() },
      { name: 'zero', change: (s: Uint8Array) => new Uint8Array(s.length) },
      { name: 'one', change: (s: Uint8Array) => flipped(new Uint8Array(s.length), s.length - 1) },
      { name: 'all ones', change: (s: Uint8Array) => new Uint8Array(s.length).fill(0xff) },
      { name: 'a zero byte in front', change: (s: Uint8Array) => concatBytes(Uint8Array.of(0), s) },
      { name: 'one byte less at the end', change: (s: Uint8Array) => s.subarray(0, -1) },
      { name: 'the modulus', change: () => plain.modulus },
    ])('refuses a signature of $name', ({ change }) => {
      expect(agreed({ ...good, signature: change(good.signature) })).toBe(false);
    });

    it('refuses a signature without its leading zeros, which node:crypto takes for PSS', () => {
      expect(nobleAttestCrypto.verify({ ...good, signature: good.signature.subarray(1) })).toBe(false);
    });

    it('refuses the signature plus the modulus: the same number, another spelling', () => {
      const size = good.signature.length;
      const sum = BigInt(`0x${toHex(good.signature)}`) + BigInt(`0x${toHex(plain.modulus)}`);
      const text = sum.toString(16);
      const spelled =
        text.length > 2 * size ? fromHex(text.padStart(2 * size + 2, '0')) : fromHex(text.padStart(2 * size, '0'));
      expect(agreed({ ...good, signature: spelled })).toBe(false);
    });

    it('refuses it under another scheme, hash or modulus', () => {
      expect(agreed({ ...good, scheme: scheme === 'rsassa' ? 'rsapss' : 'rsassa' })).toBe(false);
      expect(agreed({ ...good, scheme: 'ecdsa' })).toBe(false);
      expect(agreed({ ...good, hash: 'sha512' })).toBe(false);
      expect(agreed({ ...good, key: { ...plain, modulus: flipped(plain.modulus, 9) } })).toBe(false);
      const even = flipped(plain.modulus, plain.modulus.length - 1);
      expect(agreed({ ...good, key: { ...plain, modulus: even } })).toBe(false);
    });
  });

  it.each([0, 7, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN])('accepts a PSS salt of length %i', (saltLength) => {
    expect(agreed(signed('rsapss', 'sha256', saltLength))).toBe(true);
  });

  it.each([
    { name: 'garbage behind the digest', encode: (info: Uint8Array) => concatBytes(info, new Uint8Array(40).fill(7)) },
    { name: 'no parameters of the hash', encode: (info: Uint8Array) => withoutNull(info) },
    { name: 'a digest cut short', encode: (info: Uint8Array) => info.subarray(0, -1) },
  ])('refuses PKCS#1 with $name', ({ encode }) => {
    const info = concatBytes(SHA256_INFO, nodeAttestCrypto.hash('sha256', data));
    const raw = (block: Uint8Array): SignatureCheck => {
      const signature = new Uint8Array(
        privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, block),
      );
      return { key: plain, scheme: 'rsassa', hash: 'sha256', data, signature };
    };
    expect(agreed(raw(info))).toBe(true);
    expect(agreed(raw(encode(info)))).toBe(false);
  });

  it('refuses an encoded message that is padded with something else than ones', () => {
    const info = concatBytes(SHA256_INFO, nodeAttestCrypto.hash('sha256', data));
    const size = Math.ceil(bits / 8);
    const block = new Uint8Array(size).fill(0xff);
    block.set([0, 1]);
    block.set([0, ...info], size - info.length - 1);
    const raw = (message: Uint8Array): SignatureCheck => {
      const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, message);
      return { key: plain, scheme: 'rsassa', hash: 'sha256', data, signature: new Uint8Array(signature) };
    };
    expect(agreed(raw(block))).toBe(true);
    for (const index of [1, 2, 9, 60]) expect(agreed(raw(flipped(block, index)))).toBe(false);
  });
});

describe('RSA keys that are none of a TPM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const check = (key: VerificationKey): SignatureCheck => ({
    key,
    scheme: 'rsassa',
    hash: 'sha256',
    data,
    signature: new Uint8Array(sign('sha256', data, privateKey)),
  });
  it('1024 bits are refused, though node:crypto takes them', () => {
    expect(nodeAttestCrypto.verify(check(spki(publicKey)))).toBe(true);
    expect(nobleAttestCrypto.verify(check(spki(publicKey)))).toBe(false);
  });

  it.each([0, 1, 2, 65536])('an exponent of %i is refused', (exponent) => {
    const modulus = new Uint8Array(256).fill(0xff);
    const info = concatBytes(Uint8Array.of(0), SHA256_INFO, nodeAttestCrypto.hash('sha256', data));
    const signature = new Uint8Array(256).fill(0xff);
    signature.set([0, 1]);
    signature.set(info, 256 - info.length);
    const key = { kind: 'rsa', modulus, exponent: fromHex(exponent.toString(16).padStart(8, '0')) } as const;
    expect(nobleAttestCrypto.verify({ ...check(key), signature })).toBe(false);
  });

  it('a modulus of a megabyte is refused without a calculation', () => {
    const key = { kind: 'rsa', modulus: new Uint8Array(1 << 20).fill(0xff), exponent: Uint8Array.of(3) } as const;
    expect(nobleAttestCrypto.verify({ ...check(key), signature: new Uint8Array(1 << 20) })).toBe(false);
  });

  it.each(['rsa-pss', 'ed25519', 'x25519'] as const)('a key for %s is no key here', (type) => {
    const pair =
      type === 'rsa-pss' ? generateKeyPairSync(type, { modulusLength: 2048 }) : generateKeyPairSync(type as 'ed25519');
    expect(agreed(check(spki(pair.publicKey)))).toBe(false);
  });

  it('accepts no key that node:crypto refuses: cut, lengthened, any bit flipped', () => {
    const pair = rsaKeys[0];
    if (pair === undefined) throw new Error('made above');
    const key = spki(pair.publicKey);
    const signature = new Uint8Array(sign('sha256', data, pair.privateKey));
    if (key.kind === 'spki') refusesWhatNodeRefuses({ ...check(key), signature }, key.der);
  });
});

it('random keys and signatures are refused by both', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const scheme = fc.constantFrom('ecdsa' as const, 'rsassa' as const, 'rsapss' as const);
  fc.assert(
    fc.property(bytes, bytes, scheme, (der, signature, each) => {
      const check: SignatureCheck = { key: { kind: 'spki', der }, scheme: each, hash: 'sha256', data, signature };
      expect(agreed(check)).toBe(false);
    }),
  );
});

/** One direction only: node:crypto also takes BER, hybrid points and other curves. */
function refusesWhatNodeRefuses(good: SignatureCheck, der: Uint8Array): void {
  const mutants = [
    concatBytes(der, Uint8Array.of(0)),
    ...[...der.keys()].map((length) => der.subarray(0, length)),
    ...[...der.keys()].flatMap((index) => [0x01, 0x02, 0x80].map((mask) => flipped(der, index, mask))),
  ];
  const accepted = mutants.filter((mutant) =>
    nobleAttestCrypto.verify({ ...good, key: { kind: 'spki', der: mutant } }),
  );
  expect(accepted.map(toHex)).toEqual([]);
  expect(nobleAttestCrypto.verify(good)).toBe(true);
  expect(() => createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })).not.toThrow();
}

const SHA256_INFO = fromHex('3031300d060960864801650304020105000420');
/** DigestInfo { { sha256 } digest } without the NULL. */
const withoutNull = (info: Uint8Array): Uint8Array =>
  concatBytes(fromHex('302f300b0609608648016503040201' + '0420'), info.subarray(SHA256_INFO.length));

/** SEC 2: the order of each curve's group. */
const ORDERS = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  'P-521': BigInt(`0x01${'f'.repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
} as const;
const orderHex = (curve: keyof typeof ORDERS, width: number): string =>
  ORDERS[curve].toString(16).padStart(2 * width, '0');

/** OpenSSL makes even lengths only. One bit above whole bytes is where the encoded message of PSS is a byte shorter. */
function rsaPairOf2049Bits(): { privateKey: KeyObject; publicKey: KeyObject } {
  const e = 65537n;
  for (;;) {
    const p = generatePrimeSync(1025, { bigint: true });
    const q = generatePrimeSync(1024, { bigint: true });
    const totient = (p - 1n) * (q - 1n);
    if ((p * q).toString(2).length !== 2049 || totient % e === 0n) continue;
    const d = inverse(e, totient);
    const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
    const jwk = Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, base64url(number)]));
    const privateKey = createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  }
}

/** Extended Euclid; the two have no common divisor. */
function inverse(number: bigint, modulus: bigint): bigint {
  let [r, nextR, t, nextT] = [modulus, number % modulus, 0n, 1n];
  while (nextR !== 0n) {
    const quotient = r / nextR;
    [r, nextR, t, nextT] = [nextR, r - quotient * nextR, nextT, t - quotient * nextT];
  }
  return ((t % modulus) + modulus) % modulus;
}

function base64url(number: bigint): string {
  const text = number.toString(16);
  return Buffer.from(text.padStart(text.length + (text.length % 2), '0'), 'hex').toString('base64url');
}
