/**
 * EFI_DEVICE_PATH_PROTOCOL as text, UEFI 2.10 §10.3 and §10.6.1.6. Nodes without a text form are given as
 * `Path(type,subtype,hex)`. Texts inside a node are a stranger's: escape them before they reach a terminal.
 */
import { toHex } from '../../shared/bytes.ts';
import { messagingNodeText } from './device-path-messaging.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';
import { hex, vendorText } from './node-text.ts';
import { readGuid, utf8, utf16 } from './text.ts';

const MAX_NODES = 256;
const END = 0x7f;
const END_OF_INSTANCE = 0x01;

/** Nodes joined by `/`, instances by `,`; empty for a path without nodes. @throws LogError */
export function devicePathText(path: Uint8Array): string {
  const reader = littleEndianReader(path);
  const instances: string[] = [];
  let nodes: string[] = [];
  for (let count = 0; reader.left > 0; count += 1) {
    if (count === MAX_NODES) throw new LogError('LOG_TOO_LARGE', `a device path of more than ${MAX_NODES} nodes`);
    const type = reader.u8('device path node type');
    const subtype = reader.u8('device path node subtype');
    const length = reader.u16('device path node length');
    if (length < 4) throw new LogError('LOG_EVENT_BAD', `a device path node of ${length} bytes`);
    const body = reader.bytes(length - 4, 'device path node');
    if (type !== END) {
      nodes.push(nodeText(type, subtype, body));
      continue;
    }
    instances.push(nodes.join('/'));
    nodes = [];
    if (subtype !== END_OF_INSTANCE) return instances.join(',');
  }
  if (nodes.length > 0) instances.push(nodes.join('/')); // measured without its end node, as some firmware does
  return instances.join(',');
}

/** A node that is shorter than its kind asks for is shown as it is, not refused: the rest of the path is worth seeing. */
function nodeText(type: number, subtype: number, body: Uint8Array): string {
  try {
    const text = knownNodeText(type, subtype, body);
    if (text !== null) return text;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
  }
  return `Path(${type},${subtype},${toHex(body)})`;
}

function knownNodeText(type: number, subtype: number, body: Uint8Array): string | null {
  const node = littleEndianReader(body);
  switch (type) {
    case 1:
      return hardwareNodeText(subtype, node);
    case 2:
      return acpiNodeText(subtype, node);
    case 3:
      return messagingNodeText(subtype, node);
    case 4:
      return mediaNodeText(subtype, node);
    case 5:
      return subtype === 1 ? bootSpecificationText(node) : null;
    default:
      return null;
  }
}

function hardwareNodeText(subtype: number, node: LittleEndianReader): string | null {
  switch (subtype) {
    case 1: {
      const fn = node.u8('function');
      return `Pci(${hex(node.u8('device'))},${hex(fn)})`;
    }
    case 2:
      return `PcCard(${hex(node.u8('function'))})`;
    case 3:
      return `MemoryMapped(${hex(node.u32('memory type'))},${hex(node.u64('start'))},${hex(node.u64('end'))})`;
    case 4:
      return vendorText('VenHw', node);
    case 5:
      return `Ctrl(${hex(node.u32('controller'))})`;
    case 6:
      return `BMC(${hex(node.u8('interface type'))},${hex(node.u64('base address'))})`;
    default:
      return null;
  }
}

/** EISA ids of the `PNPxxxx` devices that have a name of their own in the text form. */
const ACPI_NAMES: { readonly [pnp: number]: string } = {
  769: 'Keyboard',
  1025: 'ParallelPort',
  1281: 'Serial',
  1540: 'Floppy',
  2563: 'PciRoot',
  2568: 'PcieRoot',
};
/** "PNP" in compressed EISA letters. */
const PNP = 0x41d0;

function acpiNodeText(subtype: number, node: LittleEndianReader): string | null {
  if (subtype === 1) {
    const hid = node.u32('hardware id');
    const uid = hex(node.u32('unique id'));
    const name = (hid & 0xffff) === PNP ? ACPI_NAMES[hid >>> 16] : undefined;
    return name === undefined ? `Acpi(${eisaText(hid)},${uid})` : `${name}(${uid})`;
  }
  if (subtype === 2) {
    const hid = node.u32('hardware id');
    const uid = node.u32('unique id');
    const cid = node.u32('compatible id');
    const [hidText = '', uidText = '', cidText = ''] = utf8(node.bytes(node.left, 'id strings')).split('\0');
    const id = (value: number, text: string): string => (text === '' ? eisaText(value) : text);
    return `AcpiEx(${id(hid, hidText)},${id(cid, cidText)},${uidText === '' ? hex(uid) : uidText})`;
  }
  if (subtype === 3) {
    const addresses: string[] = [];
    while (node.left > 0) addresses.push(hex(node.u32('display address')));
    return `AcpiAdr(${addresses.join(',')})`;
  }
  return null;
}

/** Three letters of five bits, then four hex digits; `0` where there is none. */
function eisaText(id: number): string {
  if (id === 0) return '0';
  const letters = [10, 5, 0].map((shift) => ((id & 0xffff) >> shift) & 0x1f);
  if (letters.some((letter) => letter < 1 || letter > 26)) return hex(id);
  const name = String.fromCharCode(...letters.map((letter) => letter + 0x40));
  return `${name}${(id >>> 16).toString(16).toUpperCase().padStart(4, '0')}`;
}

function mediaNodeText(subtype: number, node: LittleEndianReader): string | null {
  switch (subtype) {
    case 1:
      return hardDriveText(node);
    case 2:
      return `CDROM(${hex(node.u32('boot entry'))},${hex(node.u64('start'))},${hex(node.u64('size'))})`;
    case 3:
      return vendorText('VenMedia', node);
    case 4:
      return utf16(node.bytes(node.left, 'path')).replace(/\0+$/, '');
    case 5:
      return `Media(${readGuid(node)})`;
    case 6:
      return `FvFile(${readGuid(node)})`;
    case 7:
      return `Fv(${readGuid(node)})`;
    case 8: {
      node.u32('reserved');
      return `Offset(${hex(node.u64('start'))},${hex(node.u64('end'))})`;
    }
    case 9: {
      const range = `${hex(node.u64('start'))},${hex(node.u64('end'))}`;
      const guid = readGuid(node);
      return `RamDisk(${range},${node.u16('instance')},${guid})`;
    }
    default:
      return null;
  }
}

function hardDriveText(node: LittleEndianReader): string | null {
  const partition = node.u32('partition');
  const range = `${hex(node.u64('start'))},${hex(node.u64('size'))}`;
  const signature = node.bytes(16, 'signature');
  node.u8('partition format');
  const signatureType = node.u8('signature type');
  if (signatureType === 2) return `HD(${partition},GPT,${readGuid(littleEndianReader(signature))},${range})`;
  if (signatureType === 1) {
    const serial = littleEndianReader(signature).u32('disk serial').toString(16).padStart(8, '0');
    return `HD(${partition},MBR,0x${serial},${range})`;
  }
  return `HD(${partition},${signatureType},0,${range})`;
}

/** BIOS Boot Specification, UEFI 2.10 §10.3.6. */
const BBS_TYPES: { readonly [type: number]: string } = {
  1: 'Floppy',
  2: 'HD',
  3: 'CDROM',
  4: 'PCMCIA',
  5: 'USB',
  6: 'Network',
};

function bootSpecificationText(node: LittleEndianReader): string {
  const type = node.u16('device type');
  const flags = hex(node.u16('status flags'));
  const description = utf8(node.bytes(node.left, 'description')).replace(/\0.*$/s, '');
  return `BBS(${BBS_TYPES[type] ?? hex(type)},${description},${flags})`;
}
