/** Facts about Secure Boot keys held against the published files, and the walk over lists against the reader of the log. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from '../event-log/decode.ts';
import { LogError } from '../event-log/little-endian.ts';
import { parseEventLog } from '../event-log/parse.ts';
import { readSignatureLists } from '../event-log/signature-list.ts';
import { signatureList } from '../testing/event-log-writer.ts';
import { AUTHORITY_NAMES, KNOWN_AUTHORITIES, knownAuthority } from './firmware-authorities.ts';
import { certificatesIn, isListed, revocationsIn, walkSignatures } from './firmware-keys.ts';
import { DBX_MARKS, DBX_RELEASES, type DbxRelease } from './firmware-revocations.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, vectors)));
const PUBLISHED = 'google_go-tpm-tools/secure-boot/';

/** The list of an EFI_VARIABLE_AUTHENTICATION_2 update: what is behind its time and its signature. */
function listOfUpdate(name: string): Uint8Array {
  const bytes = bytesOf(PUBLISHED + name);
  return bytes.subarray(16 + new DataView(bytes.buffer).getUint32(16, true));
}

function spans(value: Uint8Array): string[] | null {
  const seen: string[] = [];
  const isWhole = walkSignatures(value, ({ kind, data, end }) => {
    seen.push(`${kind} ${toHex(value.subarray(data, end))}`);
  });
  return isWhole ? seen : null;
}

/** The same through the reader that `attest log` uses. */
function spansOfReader(value: Uint8Array): string[] | null {
  const kinds: { readonly [type: string]: string } = { x509: 'certificate', sha256: 'image-hash' };
  try {
    return readSignatureLists(value).flatMap(({ type, entries }) =>
      entries.map(({ data }) => `${kinds[type] ?? 'other'} ${toHex(data)}`),
    );
  } catch (error) {
    if (error instanceof LogError) return null;
    throw error;
  }
}

describe('the table of authorities', () => {
  it('has each name and each fingerprint once, in hex', () => {
    expect(new Set(AUTHORITY_NAMES).size).toBe(KNOWN_AUTHORITIES.length);
    expect(new Set(KNOWN_AUTHORITIES.map(({ sha256 }) => sha256)).size).toBe(KNOWN_AUTHORITIES.length);
    for (const { sha256 } of KNOWN_AUTHORITIES) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe.skipIf(!present)(
  present ? 'published keys and lists' : 'published keys and lists (skipped: no vectors)',
  () => {
    const certificates = present
      ? readdirSync(new URL(PUBLISHED, vectors)).filter((name) => name.endsWith('.crt'))
      : [];

    it.each(certificates)('%s has the name that the table gives its fingerprint', (name) => {
      const certificate = new X509Certificate(bytesOf(PUBLISHED + name));
      const known = knownAuthority(toHex(crypto.hash('sha256', new Uint8Array(certificate.raw))));
      expect(known).not.toBeNull();
      const commonName = /CN=(.*)/.exec(certificate.subject)?.[1];
      if (commonName !== 'newpk') expect(known?.name).toBe(commonName);
    });

    it.each([
      { name: 'dbxupdate-2014-08-11.bin', hashes: 13, certificates: 0, release: '2014-04-13' },
      { name: 'dbxupdate_x64-2020-10-12.bin', hashes: 183, certificates: 3, release: '2020-07-01' },
      { name: 'dbxupdate_x64-2021-04-29.bin', hashes: 211, certificates: 0, release: '2021-04-01' },
    ])('$name is of the release $release', ({ name, hashes, certificates: keys, release }) => {
      // an update is appended to what the machine has: what the older ones revoked stays revoked
      const older = [listOfUpdate('dbxupdate-2014-08-11.bin'), marksOf(release)];
      expect(revocationsIn(listOfUpdate(name), [])).toMatchObject({ hashes, certificates: keys });
      expect(revocationsIn(concatBytes(...older, listOfUpdate(name)), [])?.release).toBe(release);
      const next = DBX_RELEASES[DBX_RELEASES.indexOf(release as DbxRelease) + 1] ?? '2023-05-01';
      for (const mark of DBX_MARKS[next]) expect(revocationsIn(listOfUpdate(name), [mark])?.lacking).toBe(mark);
    });

    /** Marks of the releases before `release` that no file is at hand of. */
    function marksOf(release: string): Uint8Array {
      if (release === '2014-04-13') return new Uint8Array();
      return signatureList(
        'image-hash',
        DBX_MARKS['2016-08-09']
          .map((mark) => Uint8Array.from(Buffer.from(mark, 'hex')))
          .concat(
            release === '2021-04-01'
              ? DBX_MARKS['2020-07-01'].map((mark) => Uint8Array.from(Buffer.from(mark, 'hex')))
              : [],
          ),
      );
    }

    it('lists of every real log are walked as they are read', () => {
      const index: { parse: string; eventlog?: string }[] = JSON.parse(new TextDecoder().decode(bytesOf('INDEX.json')));
      let lists = 0;
      for (const path of new Set(
        index.filter(({ parse }) => parse === 'ok').flatMap(({ eventlog }) => eventlog ?? []),
      )) {
        for (const event of parseEventLog(bytesOf(path), { padding: 'allow' }).events) {
          const { detail } = decodeEvent(event, 'sha256', crypto);
          if (detail.kind !== 'variable' || !/^(PK|KEK|dbx?)$/.test(detail.variable.name) || event.type === 0x800000e0)
            continue;
          expect(spans(detail.variable.value)).toEqual(spansOfReader(detail.variable.value));
          lists += 1;
        }
      }
      expect(lists).toBeGreaterThan(100);
    });
  },
);

describe('a walk over signatures', () => {
  const list = concatBytes(
    signatureList('certificate', [new Uint8Array(40).fill(1)]),
    signatureList('image-hash', [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)]),
  );
  it('refuses every cut, and finds what is listed', () => {
    expect(spans(list)).toHaveLength(3);
    for (let length = 1; length < list.length; length += 1) {
      expect(spans(list.subarray(0, length))).toEqual(spansOfReader(list.subarray(0, length)));
    }
    expect(isListed(list, new Uint8Array(32).fill(3))).toBe(true);
    expect(isListed(list, new Uint8Array(32).fill(4))).toBe(false);
    expect(isListed(list.slice(0, -1), new Uint8Array(40).fill(1))).toBe(false);
    expect(certificatesIn(list.slice(0, -1), crypto)).toBeNull();
    expect(revocationsIn(list.slice(0, -1), [])).toBeNull();
  });

  it('agrees with the reader on any bytes, but for hashes of another size', () => {
    const changed = fc.tuple(fc.nat(list.length - 1), fc.nat(255)).map(([at, byte]) => list.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (value) => {
        const read = spansOfReader(value);
        const hasOddHash = read?.some((span) => span.startsWith('image-hash') && span.length !== 11 + 64) ?? false;
        expect(spans(value)).toEqual(hasOddHash ? null : read);
      }),
      { numRuns: 500 },
    );
  });
});
