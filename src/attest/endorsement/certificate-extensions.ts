/** The extensions of X.509 that decide what an EK certificate and its authorities may do, RFC 5280 §4.2. */
import {
  contentOf,
  context,
  contextConstructed,
  type DerElement,
  DerError,
  type DerReader,
  expectTag,
  finish,
  hasMore,
  inside,
  oidText,
  only,
  smallNumber,
  TAG,
  take,
  takeIf,
} from '../der/der.ts';
import { isNameInOrder, nameAttributes } from '../der/der-name.ts';

export type ExtensionQuirk = 'set-order' | 'explicit-default' | 'boolean-form' | 'unstructured-alternative-name';

export interface CertificateExtensions {
  /** basicConstraints says so; false where it is absent. */
  readonly isCa: boolean;
  /** How many authorities may stand between this one and the leaf; null: any number. */
  readonly pathLength: number | null;
  /** Null where the extension is absent: no restriction. */
  readonly keyUsage: KeyUsages | null;
  /** All of them; empty where the extension is absent: no restriction. */
  readonly extendedKeyUsages: readonly string[];
  /** Attribute values by OID out of the directory names of the subject alternative name: TPM manufacturer, model, version. */
  readonly alternativeAttributes: ReadonlyMap<string, string>;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  /** OIDs of critical extensions that nobody here judges. */
  readonly unknownCritical: readonly string[];
}

export interface KeyUsages {
  readonly keyEncipherment: boolean;
  readonly keyAgreement: boolean;
  readonly keyCertSign: boolean;
  readonly cRLSign: boolean;
}

export const NO_EXTENSIONS: CertificateExtensions = {
  isCa: false,
  pathLength: null,
  keyUsage: null,
  extendedKeyUsages: [],
  alternativeAttributes: new Map(),
  subjectKeyId: null,
  authorityKeyId: null,
  unknownCritical: [],
};

/** Each is judged below; policies need no judgement as long as nobody asks for a certain one (RFC 5280 §6.1.1 c). */
const CERTIFICATE_POLICIES = '2.5.29.32';
const MAX_EXTENSIONS = 40;
const MAX_USAGES = 32;

type Mutable = { -readonly [name in keyof CertificateExtensions]: CertificateExtensions[name] };
type Quirks = { add(quirk: ExtensionQuirk): unknown };

/** @throws DerError, and an Error for an extension that stands twice */
export function readExtensions(wrapper: DerElement, quirks: Quirks): CertificateExtensions {
  const found: Mutable = { ...NO_EXTENSIONS };
  const unknownCritical: string[] = [];
  const seen = new Set<string>();
  for (const list = inside(only(contentOf(wrapper), TAG.sequence)); hasMore(list); ) {
    const { oid, critical, value } = readExtension(list, quirks);
    if (seen.has(oid)) throw new Error(`it has the extension ${oid} twice`);
    if (seen.size >= MAX_EXTENSIONS) throw new Error(`it has over ${MAX_EXTENSIONS} extensions`);
    seen.add(oid);
    const judge = EXTENSIONS[oid];
    if (judge !== undefined) judge(value, found, quirks);
    else if (critical && oid !== CERTIFICATE_POLICIES) unknownCritical.push(oid);
  }
  return { ...found, unknownCritical };
}

/** `value` is the DER inside the OCTET STRING. @throws DerError */
export function readExtension(list: DerReader, quirks: Quirks): { oid: string; critical: boolean; value: Uint8Array } {
  const reader = inside(expectTag(list, TAG.sequence));
  const oid = oidText(expectTag(reader, TAG.oid));
  const critical = optionalBoolean(reader, quirks);
  const value = contentOf(expectTag(reader, TAG.octetString));
  finish(reader);
  return { oid, critical, value };
}

/** BOOLEAN DEFAULT FALSE: DER leaves FALSE out and writes TRUE as FF. */
function optionalBoolean(reader: DerReader, quirks: Quirks): boolean {
  const element = takeIf(reader, TAG.boolean);
  if (element === null) return false;
  const [byte = 0, ...rest] = contentOf(element);
  if (element.content === element.end || rest.length > 0) throw new Error('it has a BOOLEAN that is none');
  if (byte === 0) quirks.add('explicit-default');
  else if (byte !== 0xff) quirks.add('boolean-form');
  return byte !== 0;
}

const EXTENSIONS: { readonly [oid: string]: (value: Uint8Array, found: Mutable, quirks: Quirks) => void } = {
  // subjectKeyIdentifier
  '2.5.29.14': (value, found) => {
    found.subjectKeyId = contentOf(only(value, TAG.octetString));
  },
  '2.5.29.15': (value, found) => {
    found.keyUsage = keyUsage(value);
  },
  '2.5.29.17': (value, found, quirks) => {
    found.alternativeAttributes = alternativeAttributes(value, quirks);
  },
  '2.5.29.19': (value, found, quirks) => {
    const reader = inside(only(value, TAG.sequence));
    found.isCa = optionalBoolean(reader, quirks);
    const length = takeIf(reader, TAG.integer);
    finish(reader);
    if (length !== null) found.pathLength = smallNumber(length);
  },
  // authorityKeyIdentifier: [0] keyIdentifier, then issuer and serial number, which nothing depends on
  '2.5.29.35': (value, found) => {
    const id = takeIf(inside(only(value, TAG.sequence)), context(0));
    found.authorityKeyId = id === null ? null : contentOf(id);
  },
  '2.5.29.37': (value, found) => {
    const usages: string[] = [];
    for (const reader = inside(only(value, TAG.sequence)); hasMore(reader); ) {
      if (usages.length >= MAX_USAGES) throw new Error(`it has over ${MAX_USAGES} extended key usages`);
      usages.push(oidText(expectTag(reader, TAG.oid)));
    }
    if (usages.length === 0) throw new Error('it has an empty list of extended key usages');
    found.extendedKeyUsages = usages;
  },
};

/** Named bits, most significant first: digitalSignature 0, keyEncipherment 2, keyAgreement 4, keyCertSign 5, cRLSign 6. */
function keyUsage(value: Uint8Array): KeyUsages {
  const element = only(value, TAG.bitString);
  const [unused = 8, first = 0] = contentOf(element);
  if (unused > 7 || element.end - element.content < 2) throw new Error('its key usage is empty');
  const bit = (index: number): boolean => (first & (0x80 >> index)) !== 0;
  return { keyEncipherment: bit(2), keyAgreement: bit(4), keyCertSign: bit(5), cRLSign: bit(6) };
}

/** Only directory names say something about a TPM; a name that is not written as GeneralNames says nothing. */
function alternativeAttributes(value: Uint8Array, quirks: Quirks): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  try {
    for (const reader = inside(only(value, TAG.sequence)); hasMore(reader); ) {
      const general = take(reader);
      if (general.tag !== contextConstructed(4)) continue;
      const name = only(contentOf(general), TAG.sequence);
      if (!isNameInOrder(name)) quirks.add('set-order');
      for (const { type, value: text } of nameAttributes(name)) {
        if (attributes.has(type)) throw new Error(`it names ${type} twice`);
        attributes.set(type, text);
      }
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    quirks.add('unstructured-alternative-name');
    return new Map();
  }
  return attributes;
}
