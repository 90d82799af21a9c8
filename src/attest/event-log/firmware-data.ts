/** What the firmware says of itself: blobs and tables in memory, versions, tables of devices (PFP 1.06 §10.2, §10.4.1). */
import { LogError, littleEndianReader } from './little-endian.ts';
import { boundedLength, printableAscii, printableUtf16, readGuid, utf8 } from './text.ts';

/** UEFI_PLATFORM_FIRMWARE_BLOB and BLOB2. The digest is of the memory there, so the address is hearsay. */
export interface FirmwareBlob {
  readonly description: string | null;
  readonly address: bigint;
  readonly lengthBytes: bigint;
}

/** UEFI_HANDOFF_TABLE_POINTERS and POINTERS2. */
export interface HandoffTables {
  readonly description: string | null;
  readonly tables: readonly { readonly guid: string; readonly address: bigint }[];
}

/** GUIDs of configuration tables that a reader will meet (UEFI 2.10 §4.6). */
const TABLE_NAMES: { readonly [guid: string]: string } = {
  '8868e871-e4f1-11d3-bc22-0080c73c8881': 'ACPI 2.0',
  'eb9d2d30-2d88-11d3-9a16-0090273fc14d': 'ACPI 1.0',
  'eb9d2d31-2d88-11d3-9a16-0090273fc14d': 'SMBIOS',
  'f2fd1544-9794-4a2c-992e-e5bbcf20e394': 'SMBIOS 3',
  'eb9d2d32-2d88-11d3-9a16-0090273fc14d': 'SAL',
  'eb9d2d2f-2d88-11d3-9a16-0090273fc14d': 'MPS',
};

export const tableName = (guid: string): string => TABLE_NAMES[guid] ?? guid;

const BLOB_BYTES = 16;

/** @throws LogError */
export function readFirmwareBlob(data: Uint8Array): FirmwareBlob {
  if (data.length !== BLOB_BYTES) throw new LogError('LOG_EVENT_BAD', `a firmware blob of ${data.length} bytes`);
  const reader = littleEndianReader(data);
  return { description: null, address: reader.u64('blob base'), lengthBytes: reader.u64('blob length') };
}

/** @throws LogError */
export function readFirmwareBlob2(data: Uint8Array): FirmwareBlob {
  const reader = littleEndianReader(data);
  const description = utf8(reader.bytes(reader.u8('description size'), 'blob description'));
  const blob = readFirmwareBlob(reader.bytes(reader.left, 'blob'));
  return { ...blob, description };
}

/** @throws LogError */
export function readHandoffTables(data: Uint8Array): HandoffTables {
  return { description: null, tables: readTables(data) };
}

/** @throws LogError */
export function readHandoffTables2(data: Uint8Array): HandoffTables {
  const reader = littleEndianReader(data);
  const description = utf8(reader.bytes(reader.u8('description size'), 'table description'));
  return { description, tables: readTables(reader.bytes(reader.left, 'tables')) };
}

function readTables(data: Uint8Array): HandoffTables['tables'] {
  const reader = littleEndianReader(data);
  const count = boundedLength(reader.u64('table count'), reader.left);
  if (count * 24 !== reader.left) throw new LogError('LOG_EVENT_BAD', `${count} tables in ${reader.left} bytes`);
  return Array.from({ length: count }, () => ({ guid: readGuid(reader), address: reader.u64('table address') }));
}

const GUID_BYTES = 16;

/** EV_S_CRTM_VERSION: UTF-16 text, or the GUID of the version; null for what is neither, as Intel's structures. */
export function crtmVersion(data: Uint8Array): { readonly text: string } | { readonly guid: string } | null {
  const text = printableUtf16(data);
  if (text !== null) return { text };
  if (data.length === 2 && data[0] === 0 && data[1] === 0) return { text: '' };
  if (data.length === GUID_BYTES) return { guid: readGuid(littleEndianReader(data)) };
  const ascii = printableAscii(data);
  return ascii === null ? null : { text: ascii };
}

/** TCG_DEVICE_SECURITY_EVENT_DATA (PFP 1.06 §10.2.7, SPDM): what a device said over SPDM. */
export interface DeviceSecurity {
  readonly signature: string;
  readonly version: number;
  readonly deviceType: 'none' | 'PCI' | 'USB' | 'other';
}

/** Only the head, which both versions share in meaning. @throws LogError */
export function readDeviceSecurity(data: Uint8Array): DeviceSecurity {
  const reader = littleEndianReader(data);
  const signature = printableAscii(reader.bytes(16, 'device security signature'));
  if (signature === null || !signature.startsWith('SPDM Device Sec')) {
    throw new LogError('LOG_EVENT_BAD', 'device security data without its signature');
  }
  const version = reader.u16('device security version');
  if (signature === 'SPDM Device Sec2') reader.bytes(6, 'authentication state, reserved and length');
  else reader.bytes(6, 'length and hash algorithm');
  const type = reader.u32('device type');
  return { signature, version, deviceType: (['none', 'PCI', 'USB'] as const)[type] ?? 'other' };
}
