import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kindOf } from './documents.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const recorded = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../test/fixtures/p256/${name}`, import.meta.url)));

describe('a file', () => {
  it.each([
    ['report.json', 'report'],
    ['reference-values.json', 'reference'],
    ['trust.pem', 'trust'],
    ['nonce', 'nonce'],
  ] as const)('%s is recognised', (name, kind) => expect(kindOf(recorded(name))).toBe(kind));

  it.each([
    ['a policy', utf8('{"acceptedTpmClasses":["hardware"]}'), 'policy'],
    ['a revocation list', utf8('-----BEGIN X509 CRL-----\n'), 'crl'],
    ['a public key', utf8('-----BEGIN PUBLIC KEY-----\n'), 'reference-key'],
    ['signed reference values', utf8('{"payloadType": "application/vnd.cpushare.reference-values+json"'), 'reference'],
    ['a certificate in DER', Uint8Array.of(0x30, 0x82, 1, 0), 'trust'],
    ['a report that speaks of a policy', utf8('{"format":"cpushare-report","x":"\\"acceptedTpmClasses\\""}'), 'report'],
    ['digits that are too few for a challenge', utf8('00ff'), 'report'],
    ['nothing', new Uint8Array(), 'report'],
    ['noise', Uint8Array.from({ length: 9000 }, (_, index) => (index * 73) & 0xff), 'report'],
  ] as const)('%s', (_, bytes, kind) => expect(kindOf(bytes)).toBe(kind));
});
