/** Writes DER for tests, well formed or not: what is written is exactly what was asked for. */
import { concatBytes } from '../../shared/bytes.ts';

export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents);
  const { length } = body;
  if (length < 0x80) return concatBytes(Uint8Array.of(tag, length), body);
  if (length < 0x100) return concatBytes(Uint8Array.of(tag, 0x81, length), body);
  if (length < 0x1_0000) return concatBytes(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), body);
  return concatBytes(Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff), body);
}

export const sequence = (...contents: readonly Uint8Array[]): Uint8Array => der(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]): Uint8Array => der(0x31, ...contents);
export const octets = (content: Uint8Array): Uint8Array => der(0x04, content);
export const bits = (content: Uint8Array): Uint8Array => der(0x03, Uint8Array.of(0), content);
/** The bytes as given: two's complement, and not shortened. */
export const integer = (...bytes: readonly number[]): Uint8Array => der(0x02, Uint8Array.from(bytes));
export const TRUE = der(0x01, Uint8Array.of(0xff));
export const FALSE = der(0x01, Uint8Array.of(0));

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
export const utf8 = (text: string): Uint8Array => der(0x0c, new TextEncoder().encode(text));
export const printable = (text: string): Uint8Array => der(0x13, ascii(text));
/** `YYMMDDHHMMSSZ`, or whatever a test wants to see refused. */
export const utcTime = (text: string): Uint8Array => der(0x17, ascii(text));
export const generalizedTime = (text: string): Uint8Array => der(0x18, ascii(text));

export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  const arcs = [40 * first + second, ...others].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      groups.unshift(0x80 | (rest & 0x7f));
    return groups;
  });
  return der(0x06, Uint8Array.from(arcs));
}

/** A Name of one attribute per SET. */
export const name = (attributes: Readonly<Record<string, string>>): Uint8Array =>
  sequence(...Object.entries(attributes).map(([type, value]) => set(sequence(oid(type), utf8(value)))));
export const commonName = (text: string): Uint8Array => name({ '2.5.4.3': text });

export const extension = (id: string, value: Uint8Array, critical?: Uint8Array): Uint8Array =>
  sequence(oid(id), ...(critical === undefined ? [] : [critical]), octets(value));
