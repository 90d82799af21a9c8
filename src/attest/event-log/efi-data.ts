/** UEFI structures inside event data. Reading them says what they claim; whether that is bound is the digest rule's business. */
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';

/** UEFI_VARIABLE_DATA, PFP §10.2.6. */
export interface EfiVariable {
  /** Lower-case, as written in the UEFI specification. */
  readonly guid: string;
  readonly name: string;
  readonly value: Uint8Array;
}

/** UEFI_IMAGE_LOAD_EVENT, PFP §10.2.3. */
export interface EfiImage {
  readonly sizeBytes: bigint;
  /** The device path as text; empty where the loader gave none. */
  readonly devicePath: string;
}

const MAX_PATH_NODES = 64;

/** `surplusBytes`: exactly so many, or none, may follow the value. @throws LogError */
export function readEfiVariable(data: Uint8Array, surplusBytes = 0): EfiVariable {
  const reader = littleEndianReader(data);
  const guid = readGuid(reader);
  const nameLength = reader.u64('variable name length');
  const valueLength = reader.u64('variable value length');
  const name = utf16(reader.bytes(bounded(nameLength * 2n, reader.left), 'variable name'));
  const value = reader.bytes(bounded(valueLength, reader.left), 'variable value');
  if (reader.left > 0 && reader.left !== surplusBytes) {
    throw new LogError('LOG_EVENT_BAD', `${reader.left} bytes after the variable's value`);
  }
  return { guid, name, value };
}

/** @throws LogError */
export function readEfiImage(data: Uint8Array): EfiImage {
  const reader = littleEndianReader(data);
  reader.u64('image location');
  const sizeBytes = reader.u64('image length');
  reader.u64('image link address');
  const path = reader.bytes(bounded(reader.u64('device path length'), reader.left), 'device path');
  return { sizeBytes, devicePath: devicePathText(path) };
}

/** EFI_DEVICE_PATH_PROTOCOL, UEFI 2.10 §10.3; nodes without a text form here are given as `Path(type,subtype,hex)`. */
export function devicePathText(path: Uint8Array): string {
  const reader = littleEndianReader(path);
  const nodes: string[] = [];
  while (reader.left > 0 && nodes.length < MAX_PATH_NODES) {
    const type = reader.u8('device path node type');
    const subtype = reader.u8('device path node subtype');
    const length = reader.u16('device path node length');
    if (length < 4) throw new LogError('LOG_EVENT_BAD', `a device path node of ${length} bytes`);
    const body = reader.bytes(length - 4, 'device path node');
    if (type === 0x7f) break;
    nodes.push(nodeText(type, subtype, body));
  }
  return nodes.join('/');
}

function nodeText(type: number, subtype: number, body: Uint8Array): string {
  const node = littleEndianReader(body);
  const kind = (type << 8) | subtype;
  if (kind === 0x0101 && body.length === 2) {
    const fn = node.u8('function');
    return `Pci(0x${node.u8('device').toString(16)},0x${fn.toString(16)})`;
  }
  if (kind === 0x0201 && body.length === 8)
    return `Acpi(0x${node.u32('hid').toString(16)},0x${node.u32('uid').toString(16)})`;
  if (kind === 0x0305 && body.length === 2) return `Usb(${node.u8('port')},${node.u8('interface')})`;
  if (kind === 0x0312 && body.length === 6)
    return `Sata(${node.u16('port')},${node.u16('multiplier')},${node.u16('lun')})`;
  if (kind === 0x0401 && body.length === 38) return `HD(${node.u32('partition')})`;
  if (kind === 0x0402 && body.length === 20) return `CDROM(${node.u32('entry')})`;
  if (kind === 0x0404) return utf16(body).replace(/\0$/, '');
  const hex = Array.from(body, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `Path(${type},${subtype},${hex})`;
}

function readGuid(reader: LittleEndianReader): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const head = `${hex(reader.u32('guid'), 8)}-${hex(reader.u16('guid'), 4)}-${hex(reader.u16('guid'), 4)}`;
  const tail = Array.from(reader.bytes(8, 'guid'), (byte) => hex(byte, 2)).join('');
  return `${head}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

function utf16(bytes: Uint8Array): string {
  return new TextDecoder('utf-16le').decode(bytes);
}

/** A 64-bit length as a number, one past the end if it is larger than what is left: the reader then refuses it. */
function bounded(length: bigint, left: number): number {
  return length > BigInt(left) ? left + 1 : Number(length);
}
