/**
 * NO_ACTION events: they extend nothing, so no digest vouches for them, and all they say is hearsay. Signatures: PFP 1.06
 * §10.4.5, the conventional BIOS and EFI 1.2 headers, NIST SP 800-155 as TCG took it over, and Windows' own.
 */
import { toHex } from '../../shared/bytes.ts';
import { devicePathText } from './device-path.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';
import { readSpecId } from './spec-id.ts';
import { boundedLength, printableAscii, readGuid, utf8, utf16, withoutNul } from './text.ts';
import { WINDOWS_TRUST_POINT, windowsRecordName } from './windows-records.ts';

/** Something under a signature of 16 characters: names and values as they are to be shown; numbers of 64 bits as decimal text. */
export interface Information {
  readonly name: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

const SIGNATURE_BYTES = 16;

/** NONHOST_INFO: what the maker says of the parts of the machine that are not its host, under a signature of its own. */
export function readNonHostInformation(data: Uint8Array): Information | null {
  if (data.length < SIGNATURE_BYTES) return null;
  const name = printableAscii(data.subarray(0, SIGNATURE_BYTES));
  if (name === null) return null;
  const technology = name === GCE_NON_HOST ? data[SIGNATURE_BYTES] : undefined;
  if (technology === undefined) return { name, fields: {} };
  return { name, fields: { confidentialTechnology: GCE_TECHNOLOGIES[technology] ?? technology } };
}

/** Google Compute Engine; values as its go-tpm-tools names them. */
const GCE_NON_HOST = 'GCE NonHostInfo';
const GCE_TECHNOLOGIES = ['none', 'AMD SEV', 'AMD SEV-ES', 'Intel TDX', 'AMD SEV-SNP'] as const;

/** Null for data without a known or readable signature. @throws LogError when a known one is cut short */
export function readInformation(data: Uint8Array): Information | null {
  if (data.length >= 8 && littleEndianReader(data).u32('record type') === WINDOWS_TRUST_POINT) {
    return { name: windowsRecordName(WINDOWS_TRUST_POINT), fields: {} };
  }
  if (data.length < SIGNATURE_BYTES) return null;
  const reader = littleEndianReader(data);
  const name = printableAscii(reader.bytes(SIGNATURE_BYTES, 'signature'));
  if (name === null) return null;
  const fields = FIELDS[name]?.(reader, data);
  return { name, fields: fields ?? {} };
}

const FIELDS: {
  readonly [signature: string]: (reader: LittleEndianReader, data: Uint8Array) => Information['fields'];
} = {
  'Spec ID Event00': (reader) => oldSpecId(reader),
  'Spec ID Event02': (reader) => oldSpecId(reader),
  'Spec ID Event03': (_, data) => specId03(data),
  StartupLocality: (reader) => ({ locality: reader.u8('locality') }),
  'SP800-155 Event': (reader) => ({ vendorId: reader.u32('vendor'), referenceManifestGuid: readGuid(reader) }),
  'SP800-155 Event2': (reader) => platformIdentity(reader),
  'SP800-155 Event3': (reader) => ({
    ...platformIdentity(reader),
    ...locator('referenceManifest', reader),
    ...locator('platformCertificate', reader),
  }),
  'H-CRTM CompMeas': (reader) => ({
    description: text(reader),
    measurementFormat: reader.u8('measurement format'),
    measurement: toHex(reader.bytes(reader.u8('measurement size'), 'measurement')),
  }),
};

/** TCG_PCClientSpecIDEventStruct and its EFI 1.2 successor: a log with SHA-1 digests only. */
function oldSpecId(reader: LittleEndianReader): Information['fields'] {
  return {
    platformClass: reader.u32('platform class'),
    versionMinor: reader.u8('minor version'),
    versionMajor: reader.u8('major version'),
    errata: reader.u8('errata'),
    uintnSize: reader.u8('uintn size'),
    vendorInfo: toHex(reader.bytes(reader.u8('vendor size'), 'vendor information')),
  };
}

function specId03(data: Uint8Array): Information['fields'] {
  const { specId } = readSpecId(data, new Uint8Array(0xff));
  const { platformClass, versionMajor, versionMinor, errata, uintnSize, algorithms, vendorInfo } = specId;
  const banks = Array.from(algorithms.values(), ({ bank }) => bank).join(' ');
  return { platformClass, versionMajor, versionMinor, errata, uintnSize, banks, vendorInfo: toHex(vendorInfo) };
}

/** What Event2 and Event3 begin with. */
function platformIdentity(reader: LittleEndianReader): Information['fields'] {
  return {
    platformManufacturerId: reader.u32('manufacturer'),
    referenceManifestGuid: readGuid(reader),
    platformManufacturer: text(reader),
    platformModel: text(reader),
    platformVersion: text(reader),
    firmwareManufacturer: text(reader),
    firmwareManufacturerId: reader.u32('firmware manufacturer'),
    firmwareVersion: text(reader),
  };
}

/** Where the manifest, or the certificate of the platform, can be had. */
function locator(prefix: string, reader: LittleEndianReader): Information['fields'] {
  const type = reader.u32('locator type');
  const bytes = reader.bytes(boundedLength(BigInt(reader.u32('locator length')), reader.left), 'locator');
  const kind = (['raw', 'uri', 'device-path', 'variable'] as const)[type] ?? String(type);
  return { [`${prefix}LocatorType`]: kind, [`${prefix}Locator`]: locatorText(kind, bytes) };
}

function locatorText(kind: string, bytes: Uint8Array): string {
  if (kind === 'uri') return utf8(withoutNul(bytes));
  if (kind === 'device-path') return devicePathText(bytes);
  if (kind === 'variable' && bytes.length >= 16) {
    const reader = littleEndianReader(bytes);
    const guid = readGuid(reader);
    return `${utf16(reader.bytes(reader.left, 'variable name')).replace(/\0+$/, '')}-${guid}`;
  }
  return toHex(bytes);
}

/** One byte of length, text with a NUL at its end. */
function text(reader: LittleEndianReader): string {
  const bytes = reader.bytes(reader.u8('text length'), 'text');
  const nul = bytes.indexOf(0);
  if (nul !== -1 && nul !== bytes.length - 1) throw new LogError('LOG_EVENT_BAD', 'a text with a NUL inside');
  return utf8(withoutNul(bytes));
}
