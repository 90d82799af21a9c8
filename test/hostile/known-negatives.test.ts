/** What ../shared/vectors holds as known negatives: statements that are no quotes, logs that were altered or are none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LogError } from '../../src/attest/event-log/little-endian.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { attest, codeOf, judge } from './made-evidence.ts';

const folder = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url));
const present = existsSync(folder);
const files = present ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(folder + file));
const ending = (end: string): readonly string[] => files.filter((file) => file.endsWith(end)).sort();

/** The byte string behind the key `certInfo` of a WebAuthn attestation object (CBOR, one or two length bytes). */
function certInfo(object: Uint8Array): Uint8Array {
  const at = Buffer.from(object).indexOf('certInfo') + 'certInfo'.length;
  const [size, start] =
    object[at] === 0x58
      ? [object[at + 1] ?? 0, at + 2]
      : [((object[at + 1] ?? 0) << 8) | (object[at + 2] ?? 0), at + 3];
  return object.slice(start, start + size);
}

describe.skipIf(!present)(present ? 'known negatives' : 'known negatives (skipped: no vectors)', () => {
  const statements = [
    ...ending('.attestationObject.cbor').map((file) => ({ file, statement: certInfo(bytesOf(file)) })),
    ...ending('.CreateAttestation.bin').map((file) => ({ file, statement: bytesOf(file) })),
  ];

  it('are there', () => expect(statements.length).toBeGreaterThanOrEqual(9));

  it.each(statements)('$file is a statement of a TPM, and no quote, whoever signs it', ({ statement }) => {
    expect(Buffer.from(statement.subarray(0, 4)).toString('hex')).toBe('ff544347');
    expect(codeOf(judge(attest({ statement: () => statement })))).toBe('QUOTE_TYPE_WRONG');
    expect(codeOf(judge({ quote: statement }))).toBe('QUOTE_SIGNATURE_INVALID');
  });

  it.each(files.filter((file) => /bogus.*eventlog\.bin$/.test(file)))('%s is no log', (file) => {
    expect(() => parseEventLog(bytesOf(file), { padding: 'allow' })).toThrow(LogError);
  });

  it.each(files.filter((file) => file.endsWith('eventlog.bin')))('%s does not explain our machine', (file) => {
    expect(judge({ eventLog: bytesOf(file) }).status).toBe('refused');
  });
});
