/** What the verbs read from files, and the errors for files that cannot be used. */
import { readFile } from 'node:fs/promises';
import { fromHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { type PemLabel, readPemOrDer } from '../../shared/pem.ts';

export class AttestCommandError extends CodedError<
  | 'FILE_UNREADABLE'
  | 'FILE_TOO_LARGE'
  | 'NONCE_BAD'
  | 'BROKER_ID_BAD'
  | 'TIME_BAD'
  | 'TRUST_FILE_BAD'
  | 'REFERENCE_MISSING'
  | 'REFERENCE_NOT_IN_REPORT'
  | 'POLICY_TWICE'
  | 'POLICY_MISSING'
  | 'NOT_WITNESSED'
  | 'EARLIER_REPORT_OTHER_MACHINE'
  | 'EARLIER_REPORT_UNPROVEN'
> {}

/** More than any report or log that can be accepted. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

export async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  let content: Uint8Array<ArrayBuffer>;
  try {
    content = new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new AttestCommandError('FILE_UNREADABLE', `${path} cannot be read`, {
      cause,
      nextStep: 'check the path, and that the file may be read by you',
    });
  }
  if (content.length <= MAX_FILE_BYTES) return content;
  throw new AttestCommandError(
    'FILE_TOO_LARGE',
    `${path} has ${content.length} bytes, at most ${MAX_FILE_BYTES} are read`,
  );
}

export async function readNonce(nonce: string): Promise<Uint8Array> {
  const text = nonce.startsWith('@') ? new TextDecoder().decode(await read(nonce.slice(1))).trim() : nonce;
  return hex32('NONCE_BAD', 'a nonce', text);
}

/** @throws AttestCommandError with `code` */
export function hex32(code: 'NONCE_BAD' | 'BROKER_ID_BAD', what: string, text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw new AttestCommandError(code, `${what} has 64 hex digits, given was ${JSON.stringify(text.slice(0, 70))}`);
  }
  return fromHex(text);
}

/** Certificates or revocation lists: every block of a PEM file, or one in DER. `check` throws on what cannot be read; what they say is judged later. */
export async function readDerFiles(
  paths: readonly string[],
  label: PemLabel,
  check: (der: Uint8Array) => unknown = () => undefined,
): Promise<Uint8Array[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const content = await read(path);
      try {
        const contents = readPemOrDer(content, label);
        contents.forEach(check);
        return contents;
      } catch (cause) {
        throw new AttestCommandError('TRUST_FILE_BAD', `${path} cannot be used`, {
          cause,
          nextStep: `give a file with "BEGIN ${label}" blocks (PEM), or one in DER`,
        });
      }
    }),
  );
  return files.flat();
}

export function readTime(text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new AttestCommandError('TIME_BAD', `${JSON.stringify(text)} is not a time`, {
    nextStep: 'write it like 2026-11-21T05:00:00Z',
  });
}

export function wantsColour(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
}
