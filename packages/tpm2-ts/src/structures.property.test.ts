/** Any value of the large structures survives writing and reading; any mutation of real bytes is refused or exact. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tpmsAttest } from './attest.ts';
import { type Codec, decode, encode } from './codec.ts';
import { pcrSelections } from './pcr-selection.ts';
import { tpmtPublic } from './public-area.ts';
import { tpmtSignature } from './signature.ts';
import { akTemplate, EK_TEMPLATES } from './templates.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.nat(0xffff_ffff);
const hash = fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512') as fc.Arbitrary<'sha1' | 'sha256'>;
const selection = fc.array(
  fc.record({ hash, pcrs: fc.uniqueArray(fc.nat(23)).map((pcrs) => pcrs.sort((a, b) => a - b)) }),
  { maxLength: 16 },
);
const clockInfo = fc.record({ clock: u64, resetCount: u32, restartCount: u32, safe: fc.boolean() });
const head = { qualifiedSigner: bytes(66), extraData: bytes(66), clockInfo, firmwareVersion: u64 };
const is = <T extends string>(text: T) => fc.constant(text);
const attest = fc.oneof(
  fc.record({ type: is('quote'), ...head, pcrSelect: selection, pcrDigest: bytes(64) }),
  fc.record({ type: is('certify'), ...head, name: bytes(66), qualifiedName: bytes(66) }),
  fc.record({ type: is('creation'), ...head, objectName: bytes(66), creationHash: bytes(64) }),
  fc.record({ type: is('time'), ...head, time: fc.record({ time: u64, clockInfo }), timeFirmwareVersion: u64 }),
  fc.record({ type: is('nv'), ...head, indexName: bytes(66), offset: fc.nat(0xffff), nvContents: bytes(2048) }),
  fc.record({ type: is('nvDigest'), ...head, indexName: bytes(66), nvDigest: bytes(64) }),
  fc.record({ type: is('sessionAudit'), ...head, exclusiveSession: fc.boolean(), sessionDigest: bytes(64) }),
  fc.record({
    type: is('commandAudit'),
    ...head,
    auditCounter: u64,
    digestAlg: hash,
    auditDigest: bytes(64),
    commandDigest: bytes(64),
  }),
);
const signature = fc.oneof(
  fc.record({ algorithm: is('rsassa'), hash, signature: bytes(512) }),
  fc.record({ algorithm: is('rsapss'), hash, signature: bytes(512) }),
  fc.record({ algorithm: is('ecdsa'), hash, r: bytes(66), s: bytes(66) }),
);
const templates = [...Object.values(EK_TEMPLATES), akTemplate('ecc', 'label'), akTemplate('rsa', 'label')];
const publicArea = fc.constantFrom(...templates);

describe.each([
  { name: 'TPMS_ATTEST', codec: tpmsAttest as Codec<unknown>, values: attest },
  { name: 'TPMT_SIGNATURE', codec: tpmtSignature as Codec<unknown>, values: signature },
  { name: 'TPML_PCR_SELECTION', codec: pcrSelections as Codec<unknown>, values: selection },
  { name: 'TPMT_PUBLIC', codec: tpmtPublic as Codec<unknown>, values: publicArea },
])('$name', ({ codec, values }) => {
  it('writes and reads back the same value', () => {
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, (value) => {
        expect(decode(codec, encode(codec, value))).toEqual(value);
      }),
    );
  });

  it('with any byte changed: refused, or read exactly as written', () => {
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const altered = encode(codec, value);
        const index = at % altered.length;
        altered[index] = (altered[index] ?? 0) ^ change;
        let read: unknown;
        try {
          read = decode(codec, altered);
        } catch (error) {
          expect(error).toMatchObject({ name: 'TpmCodecError' });
          return;
        }
        expect(encode(codec, read)).toEqual(altered);
      }),
    );
  });
});
