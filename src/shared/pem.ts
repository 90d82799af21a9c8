/** PEM (RFC 7468): the base64 blocks of one label in a text, or DER that is no text at all. */
import { BytesError, fromBase64 } from './bytes.ts';
import { CodedError } from './errors.ts';

export class PemError extends CodedError<'PEM_MALFORMED'> {}

/** `CERTIFICATE`, `X509 CRL`, `PUBLIC KEY`. */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL' | 'PUBLIC KEY';

/** The contents of every block with that label, in order; text around and between them is ignored. @throws PemError */
export function readPem(text: string, label: PemLabel): Uint8Array[] {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const blocks: Uint8Array[] = [];
  for (let from = text.indexOf(begin); from !== -1; from = text.indexOf(begin, from)) {
    const start = from + begin.length;
    const stop = text.indexOf(end, start);
    if (stop === -1) throw new PemError('PEM_MALFORMED', `block ${blocks.length + 1} has no "${end}"`);
    blocks.push(readBlock(text.slice(start, stop), blocks.length + 1));
    from = stop + end.length;
  }
  return blocks;
}

/** A file of either form: PEM with at least one such block, or one DER sequence of 128 bytes and more. @throws PemError */
export function readPemOrDer(bytes: Uint8Array, label: PemLabel): Uint8Array[] {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) > 0x80) return [bytes];
  const blocks = readPem(new TextDecoder('latin1').decode(bytes), label);
  if (blocks.length > 0) return blocks;
  throw new PemError('PEM_MALFORMED', `there is no "BEGIN ${label}" in it, and it is not DER`);
}

function readBlock(base64: string, number: number): Uint8Array {
  try {
    return fromBase64(base64.replace(/[ \t\r\n]+/g, ''));
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw new PemError('PEM_MALFORMED', `block ${number} is not base64`, { cause });
  }
}
