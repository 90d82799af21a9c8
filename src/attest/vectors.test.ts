/** The recording of a real boot of our chain, where it is at hand (../shared/vectors/debian13-qemu-cd). */
import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode } from 'tpm2-ts/codec';
import { tpmtSignature } from 'tpm2-ts/signature';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../shared/bytes.ts';
import { firmwareKeys } from './boot/firmware-keys.ts';
import { judgeSecureBoot } from './boot/secure-boot.ts';
import { nodeAttestCrypto as crypto } from './crypto/crypto-node.ts';
import { decodeEvent } from './event-log/decode.ts';
import { parseEventLog } from './event-log/parse.ts';
import { bootAggregate, parseImaLog, provenImaEntries } from './image/ima-log.ts';
import { compareOwnChain } from './image/own-chain.ts';
import { OWN_PCRS, prepareReference } from './image/prepared-reference.ts';
import type { ReferenceEvent } from './image/reference-values.ts';
import { demoPolicyAcceptingSoftwareTpm } from './policy/policies.ts';
import { GOOD_BOOT, referenceValuesOf } from './testing/boot-node.ts';
import { imaEntry } from './testing/event-log-writer.ts';

const folder = new URL('../../../shared/vectors/debian13-qemu-cd/', import.meta.url);
const present = existsSync(folder);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));
const textOf = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

describe.skipIf(!present)(present ? 'a recorded boot' : 'a recorded boot (skipped: no vectors)', () => {
  const pcrs = present
    ? textOf('pcr-sha256.txt')
        .trim()
        .split('\n')
        .map((line) => fromHex(line.split(' ')[1] ?? ''))
    : [];
  const events = () =>
    parseEventLog(bytesOf('eventlog.bin'), { padding: 'refuse' }).events.map((event) =>
      decodeEvent(event, 'sha256', crypto),
    );

  it('its quote is signed by the AK and covers the recorded registers; no flipped bit is', () => {
    const quote = bytesOf('quote.tpms_attest.bin');
    const signature = decode(tpmtSignature, bytesOf('quote.tpmt_signature.bin'));
    if (signature.algorithm !== 'ecdsa') throw new Error('recorded as ECDSA');
    const der = new Uint8Array(createPublicKey(textOf('ak.pem')).export({ format: 'der', type: 'spki' }));
    const valid = (data: Uint8Array): boolean =>
      crypto.verify({
        key: { kind: 'spki', der },
        scheme: 'ecdsa',
        hash: 'sha256',
        data,
        signature: concatBytes(signature.r, signature.s),
      });
    expect(valid(quote)).toBe(true);
    for (let index = 0; index < quote.length; index += 1) {
      expect(valid(quote.map((byte, at) => (at === index ? byte ^ 0x10 : byte)))).toBe(false);
    }
    const attested = decode(tpmsAttest, quote);
    if (attested.type !== 'quote') throw new Error('recorded as quote');
    const quoted = attested.pcrSelect[0]?.pcrs ?? [];
    expect(quoted).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14]);
    const digest = crypto.hash('sha256', concatBytes(...quoted.map((pcr) => pcrs[pcr] ?? new Uint8Array())));
    expect(toHex(attested.pcrDigest)).toBe(toHex(digest));
  });

  it('its Secure Boot was on', () => {
    const { secureBoot } = demoPolicyAcceptingSoftwareTpm;
    const { failure, firmware } = judgeSecureBoot(
      events(),
      { policy: secureBoot, overlooked: [], firmwareKeys: firmwareKeys(crypto) },
      crypto,
    );
    expect(failure).toBeNull();
    expect(firmware.secureBoot.authorities).toMatchObject([
      { name: 'Microsoft Corporation UEFI CA 2011', vouchedBy: 'db' },
      { name: 'Debian Secure Boot CA', vouchedBy: 'shim' },
    ]);
  });

  it('its IMA log leads to register 10 and begins with its boot registers', () => {
    const lines = textOf('ima.txt').trim().split('\n');
    const written = lines.map((line) => {
      const [, sha1 = '', template, digest = '', path = ''] = line.split(' ');
      expect(template).toBe('ima-sig');
      const entry = imaEntry(fromHex(digest.replace('sha256:', '')), path, crypto);
      expect(toHex(entry.bytes.subarray(4, 24))).toBe(sha1);
      return entry.bytes;
    });
    const entries = parseImaLog(concatBytes(...written));
    const proven = provenImaEntries(entries, pcrs[10] ?? new Uint8Array(), crypto);
    expect(proven).toHaveLength(lines.length);
    expect(toHex(entries[0]?.file.digest ?? new Uint8Array())).toBe(
      bootAggregate((index) => pcrs[index] ?? new Uint8Array(), crypto),
    );
    expect(provenImaEntries(entries.slice(0, -1), pcrs[10] ?? new Uint8Array(), crypto)).toBeNull();
  });

  it('equals reference values made of its own events, and names what is not in them', () => {
    const own: ReferenceEvent[] = events().flatMap(({ event, detail }) =>
      event.pcr === 4 || event.pcr === 8 || event.pcr === 9 || event.pcr === 14
        ? [
            {
              pcr: event.pcr,
              component: detail.kind === 'kernel-command-line' ? 'kernel command line' : `event ${event.number}`,
              digest: toHex(event.digests.get('sha256') ?? new Uint8Array()),
            },
          ]
        : [],
    );
    const made = prepareReference(referenceValuesOf(GOOD_BOOT), crypto);
    const prepared = (wanted: readonly ReferenceEvent[]) => ({
      ...made,
      registers: new Map(
        OWN_PCRS.map((pcr) => [
          pcr,
          wanted.filter((event) => event.pcr === pcr).map((event) => ({ event, digest: fromHex(event.digest) })),
        ]),
      ),
    });
    expect(compareOwnChain(events(), prepared(own), [])).toEqual([]);
    const other = own.map((event) =>
      event.component === 'kernel command line'
        ? { ...event, digest: '00'.repeat(32), text: '/boot/vmlinuz quiet' }
        : event,
    );
    expect(compareOwnChain(events(), prepared(other), [])).toMatchObject([
      {
        component: 'kernel command line',
        kind: 'changed',
        expected: '"/boot/vmlinuz quiet"',
        actual: '"/boot/vmlinuz console=tty0 console=ttyS0,115200 lockdown=confidentiality panic=10"',
      },
    ]);
  });
});
