/** X.501 names as X.509 carries them (RFC 5280 §4.1.2.4): attributes for judging, one line for people. */
import {
  contentOf,
  type DerElement,
  type DerReader,
  expectTag,
  finish,
  hasMore,
  inside,
  malformed,
  oidText,
  only,
  TAG,
  take,
} from './der.ts';

export interface NameAttribute {
  readonly type: string;
  /** As written by whoever made the certificate: control characters are replaced, length is cut at 256. */
  readonly value: string;
}

const LABELS: { readonly [oid: string]: string } = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
};
const MAX_ATTRIBUTES = 64;
const MAX_TEXT = 256;
/** Real ones stay below 150 characters. */
const MAX_LINE = 300;

/** Is every SET of this name in DER's order? Walks the whole name, so a name that is none throws. @throws DerError */
export function isNameInOrder(name: DerElement): boolean {
  let ordered = true;
  forEachSet(name, (set) => {
    ordered &&= isSetInOrder(set);
  });
  return ordered;
}

/** In the order written. @throws DerError */
export function nameAttributes(name: DerElement): readonly NameAttribute[] {
  const attributes: NameAttribute[] = [];
  forEachSet(name, (set) => {
    for (const reader = inside(set); hasMore(reader); ) {
      const pair = inside(expectTag(reader, TAG.sequence));
      const type = oidText(expectTag(pair, TAG.oid));
      const value = take(pair);
      finish(pair);
      if (attributes.length >= MAX_ATTRIBUTES) throw malformed(name.start, `a name of over ${MAX_ATTRIBUTES} parts`);
      attributes.push({ type, value: textOf(value) });
    }
  });
  return attributes;
}

const canonical = new WeakMap<Uint8Array, string>();

/**
 * Equal for names that RFC 5280 §7.1 calls the same: issuers copy a name with another string type, case or spacing. For
 * finding certificates, not for believing them; a name that cannot be read is only like itself.
 */
export function canonicalName(der: Uint8Array): string {
  const remembered = canonical.get(der);
  if (remembered !== undefined) return remembered;
  const text = canonicalText(der);
  canonical.set(der, text);
  return text;
}

function canonicalText(der: Uint8Array): string {
  try {
    return nameAttributes(only(der, TAG.sequence))
      .map(({ type, value }) => `${type}=${value.trim().replace(/\s+/g, ' ').toLowerCase()}`)
      .join('\0');
  } catch {
    return `\0${String.fromCharCode(...der.subarray(0, 1024))}`;
  }
}

/** `CN=…, O=…` of a Name in DER; for people only. */
export function nameText(der: Uint8Array): string {
  const text = written.get(der) ?? writtenText(der);
  written.set(der, text);
  return text;
}

/** Authorities stay the same objects from one judgement to the next. */
const written = new WeakMap<Uint8Array, string>();

function writtenText(der: Uint8Array): string {
  try {
    const parts = nameAttributes(only(der, TAG.sequence)).map(({ type, value }) => `${LABELS[type] ?? type}=${value}`);
    const text = parts.join(', ') || '(no name)';
    return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE - 1)}…` : text;
  } catch {
    return '(a name that cannot be read)';
  }
}

function forEachSet(name: DerElement, visit: (set: DerElement) => void): void {
  for (const reader: DerReader = inside(name); hasMore(reader); ) {
    const set = expectTag(reader, TAG.set);
    if (set.content === set.end) throw malformed(set.start, 'an empty part of a name');
    visit(set);
  }
}

/** X.690 §11.6: the elements of a SET OF stand in ascending order of their encoding. */
function isSetInOrder(set: DerElement): boolean {
  const reader = inside(set);
  for (let previous = expectTag(reader, TAG.sequence); hasMore(reader); ) {
    const next = expectTag(reader, TAG.sequence);
    if (compare(previous, next) > 0) return false;
    previous = next;
  }
  return true;
}

function compare(a: DerElement, b: DerElement): number {
  const [first, second] = [a.end - a.start, b.end - b.start];
  for (let index = 0; index < Math.min(first, second); index += 1) {
    const difference = (a.bytes[a.start + index] ?? 0) - (b.bytes[b.start + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return first - second;
}

function textOf(element: DerElement): string {
  const bytes = contentOf(element).subarray(0, 2 * MAX_TEXT);
  const text = decoded(element.tag, bytes);
  // Names end up on terminals and pages: no control characters, no bidirectional overrides.
  if (/^[ -~]*$/.test(text)) return text.slice(0, MAX_TEXT);
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').slice(0, MAX_TEXT);
}

function decoded(tag: number, bytes: Uint8Array): string {
  if (tag === TAG.utf8String && bytes.some((byte) => byte >= 0x80)) return new TextDecoder().decode(bytes);
  if (tag !== TAG.bmpString) return String.fromCharCode(...bytes);
  let text = '';
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    text += String.fromCharCode((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0));
  }
  return text;
}
