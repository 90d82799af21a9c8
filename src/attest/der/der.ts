/**
 * DER (X.690) as X.509 uses it, read in place: definite lengths in their shortest form, one-byte tags, nothing left
 * over. A reader never copies and never looks past the element it was made for. What certificates of real TPMs get
 * wrong and a verifier may live with (a SET out of order, a BOOLEAN TRUE that is not FF) is for `certificate.ts` to judge.
 */
import { CodedError } from '../../shared/errors.ts';

export class DerError extends CodedError<'DER_MALFORMED'> {}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag byte of a context-specific element `[number]`: primitive, or constructed (the explicit ones). */
export const context = (number: number): number => 0x80 | number;
export const contextConstructed = (number: number): number => 0xa0 | number;

/** One element: `bytes[start, end)` with its head, `bytes[content, end)` without. */
export interface DerElement {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** A place in `bytes` that moves on with every element taken, and stops at `end`. */
export interface DerReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

/** 16 MB is far more than any certificate or revocation list that is judged. */
const MAX_LENGTH_BYTES = 3;

export const derReader = (bytes: Uint8Array): DerReader => ({ bytes, at: 0, end: bytes.length });

/** The elements inside a constructed element, or inside the DER that an OCTET STRING wraps. */
export const inside = (element: DerElement): DerReader => ({
  bytes: element.bytes,
  at: element.content,
  end: element.end,
});

export const hasMore = (reader: DerReader): boolean => reader.at < reader.end;

/** Tag of the next element, -1 at the end. */
export const nextTag = (reader: DerReader): number => (reader.at < reader.end ? (reader.bytes[reader.at] ?? -1) : -1);

/** Takes the next element, whatever it is. @throws DerError */
export function take(reader: DerReader): DerElement {
  const { bytes, at: start, end: limit } = reader;
  if (start + 2 > limit) throw malformed(start, 'an element is cut short');
  const tag = bytes[start] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw malformed(start, 'a tag of several bytes');
  const first = bytes[start + 1] ?? 0;
  let content = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0) throw malformed(start, 'an indefinite length');
    if (count > MAX_LENGTH_BYTES) throw malformed(start, `a length of ${count} bytes`);
    content += count;
    if (content > limit) throw malformed(start, 'a length is cut short');
    length = 0;
    for (let index = start + 2; index < content; index += 1) length = length * 256 + (bytes[index] ?? 0);
    if (length < 0x80 || (count > 1 && bytes[start + 2] === 0)) throw malformed(start, 'a length in a longer form');
  }
  const end = content + length;
  if (end > limit) throw malformed(start, `${end - start} bytes where ${limit - start} are left`);
  reader.at = end;
  return { tag, bytes, start, content, end };
}

/** Takes the next element, which must have this tag. @throws DerError */
export function expectTag(reader: DerReader, tag: number): DerElement {
  const element = take(reader);
  if (element.tag !== tag) throw malformed(element.start, `tag ${hex(element.tag)} where ${hex(tag)} belongs`);
  return element;
}

/** Takes the next element if it has this tag. @throws DerError */
export function takeIf(reader: DerReader, tag: number): DerElement | null {
  return nextTag(reader) === tag ? take(reader) : null;
}

/** @throws DerError when something is left */
export function finish(reader: DerReader): void {
  if (reader.at < reader.end) throw malformed(reader.at, `${reader.end - reader.at} bytes too many`);
}

/** The element that `bytes` consists of. @throws DerError */
export function only(bytes: Uint8Array, tag: number): DerElement {
  const reader = derReader(bytes);
  const element = expectTag(reader, tag);
  finish(reader);
  return element;
}

/** Content without the head; shares memory. */
export const contentOf = ({ bytes, content, end }: DerElement): Uint8Array => bytes.subarray(content, end);
/** Head and content; shares memory. */
export const wholeOf = ({ bytes, start, end }: DerElement): Uint8Array => bytes.subarray(start, end);

/** Two's complement, big-endian, in its shortest form. @throws DerError */
export function integerBytes(element: DerElement): Uint8Array {
  const value = contentOf(element);
  const [first, second] = value;
  if (first === undefined) throw malformed(element.start, 'an INTEGER without a byte');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed(element.start, 'an INTEGER in a longer form');
  }
  return value;
}

/** A natural number that fits 31 bits. @throws DerError */
export function smallNumber(element: DerElement): number {
  const value = integerBytes(element);
  if (value.length > 4 || (value[0] ?? 0) >= 0x80) throw malformed(element.start, 'a number out of range');
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** A natural number, big-endian without leading zeros. @throws DerError */
export function naturalBytes(element: DerElement): Uint8Array {
  const value = integerBytes(element);
  if ((value[0] ?? 0) >= 0x80) throw malformed(element.start, 'a negative number');
  return value[0] === 0 && value.length > 1 ? value.subarray(1) : value;
}

/** Whole bytes of a BIT STRING. @throws DerError when the bits end within a byte */
export function bitStringBytes(element: DerElement): Uint8Array {
  if (element.bytes[element.content] !== 0 || element.end === element.content) {
    throw malformed(element.start, 'a BIT STRING that does not end with a whole byte');
  }
  return element.bytes.subarray(element.content + 1, element.end);
}

/** Dotted decimal. @throws DerError */
export function oidText(element: DerElement): string {
  const { bytes, content, end } = element;
  if (content === end || (bytes[end - 1] ?? 0x80) >= 0x80 || end - content > 40) {
    throw malformed(element.start, 'an object identifier that cannot be');
  }
  let text = '';
  let arc = 0;
  for (let index = content; index < end; index += 1) {
    const byte = bytes[index] ?? 0;
    if (arc === 0 && byte === 0x80) throw malformed(element.start, 'an object identifier in a longer form');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0xffff_ffff) throw malformed(element.start, 'an object identifier out of range');
    if (byte >= 0x80) continue;
    if (text !== '') text += `.${arc}`;
    else text = arc < 80 ? `${arc < 40 ? 0 : 1}.${arc % 40}` : `2.${arc - 80}`;
    arc = 0;
  }
  return text;
}

export function malformed(at: number, what: string): DerError {
  return new DerError('DER_MALFORMED', `${what} at byte ${at}`);
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
