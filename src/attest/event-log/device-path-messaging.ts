/** Messaging device path nodes as text, UEFI 2.10 §10.3.4 and §10.6.1.6: how a boot medium or a network is reached. */
import { toHex } from '../../shared/bytes.ts';
import { type LittleEndianReader, littleEndianReader } from './little-endian.ts';
import { hex, vendorText } from './node-text.ts';
import { readGuid, utf8, utf16 } from './text.ts';

/** Vendor GUIDs with a text form of their own. */
const VENDOR_NAMES: { readonly [guid: string]: string } = {
  'e0c14753-f9be-11d2-9a0c-0090273fc14d': 'VenPcAnsi()',
  'dfa66065-b419-11d3-9a2d-0090273fc14d': 'VenVt100()',
  '7baec70b-57e0-4c76-8e87-2f9e28088343': 'VenVt100Plus()',
  'ad15a0d6-8bec-4acf-a073-d01de77e2d88': 'VenUtf8()',
  'eba4e8d2-3858-41ec-a281-2647ba9660d0': 'DebugPort()',
};
const USB_CLASSES: { readonly [id: number]: string } = {
  1: 'UsbAudio',
  2: 'UsbCDCControl',
  3: 'UsbHID',
  6: 'UsbImage',
  7: 'UsbPrinter',
  8: 'UsbMassStorage',
  9: 'UsbHub',
  10: 'UsbCDCData',
  11: 'UsbSmartCard',
  14: 'UsbVideo',
  220: 'UsbDiagnostic',
  224: 'UsbWireless',
};

/** Null for a subtype without a text form here. @throws LogError when the node is too short */
export function messagingNodeText(subtype: number, node: LittleEndianReader): string | null {
  switch (subtype) {
    case 1: {
      const primary = node.u8('channel') === 0 ? 'Primary' : 'Secondary';
      const master = node.u8('drive') === 0 ? 'Master' : 'Slave';
      return `Ata(${primary},${master},${hex(node.u16('lun'))})`;
    }
    case 2:
      return `Scsi(${hex(node.u16('target'))},${hex(node.u16('lun'))})`;
    case 3:
      node.u32('reserved');
      return `Fibre(${hex(node.u64('port name'))},${hex(node.u64('lun'))})`;
    case 4:
      node.u32('reserved');
      return `I1394(${node.u64('guid').toString(16).padStart(16, '0')})`;
    case 5:
      return `USB(${hex(node.u8('port'))},${hex(node.u8('interface'))})`;
    case 6:
      return `I2O(${hex(node.u32('target'))})`;
    case 9:
      return infinibandText(node);
    case 10:
      return vendorMessageText(node);
    case 11:
      return macText(node);
    case 12:
      return ipv4Text(node);
    case 13:
      return ipv6Text(node);
    case 14:
      return uartText(node);
    case 15:
      return usbClassText(node);
    case 16:
      return usbWwidText(node);
    case 17:
      return `Unit(${hex(node.u8('lun'))})`;
    case 18:
      return `Sata(${hex(node.u16('port'))},${hex(node.u16('multiplier'))},${hex(node.u16('lun'))})`;
    case 19:
      return iscsiText(node);
    case 20:
      return `Vlan(${node.u16('vlan')})`;
    case 21:
      node.u32('reserved');
      return `FibreEx(0x${toHex(node.bytes(8, 'port name'))},0x${toHex(node.bytes(8, 'lun'))})`;
    case 22:
      return `SasEx(0x${toHex(node.bytes(8, 'address'))},0x${toHex(node.bytes(8, 'lun'))},${hex(node.u16('device info'))},${hex(node.u16('target port'))})`;
    case 23: {
      const namespace = hex(node.u32('namespace'));
      const eui = Array.from(node.bytes(8, 'eui-64'), (byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
      return `NVMe(${namespace},${eui.reverse().join('-')})`;
    }
    case 24:
      return `Uri(${utf8(node.bytes(node.left, 'uri'))})`;
    case 25:
      return `UFS(${hex(node.u8('target'))},${hex(node.u8('lun'))})`;
    case 26:
      return `SD(${hex(node.u8('slot'))})`;
    case 27:
      return `Bluetooth(${toHex(node.bytes(6, 'address'))})`;
    case 28:
      return `Wi-Fi(${utf8(node.bytes(32, 'ssid')).replace(/\0.*$/s, '')})`;
    case 29:
      return `eMMC(${hex(node.u8('slot'))})`;
    case 30:
      return `BluetoothLE(${toHex(node.bytes(6, 'address'))},${hex(node.u8('address type'))})`;
    case 31:
      return dnsText(node);
    case 32:
      return `NVDIMM(${readGuid(node)})`;
    case 33:
      return `RestService(${hex(node.u8('service'))},${hex(node.u8('access mode'))})`;
    default:
      return null;
  }
}

function infinibandText(node: LittleEndianReader): string {
  const flags = hex(node.u32('flags'));
  const gid = readGuid(node);
  return `Infiniband(${flags},${gid},${hex(node.u64('service'))},${hex(node.u64('target'))},${hex(node.u64('device'))})`;
}

function vendorMessageText(node: LittleEndianReader): string {
  const text = vendorText('VenMsg', node);
  return VENDOR_NAMES[text.slice('VenMsg('.length, -1)] ?? text;
}

/** Ethernet addresses have 6 bytes, the field 32. */
function macText(node: LittleEndianReader): string {
  const address = node.bytes(32, 'address');
  const type = node.u8('interface type');
  return `MAC(${toHex(address.subarray(0, type <= 1 ? 6 : 32))},${hex(type)})`;
}

const PROTOCOLS: { readonly [id: number]: string } = { 6: 'TCP', 17: 'UDP' };
const protocolText = (id: number): string => PROTOCOLS[id] ?? hex(id);

/** Gateway and mask came with UEFI 2.3.1: older nodes end before them. */
function ipv4Text(node: LittleEndianReader): string {
  const local = dotted(node.bytes(4, 'local address'));
  const remote = dotted(node.bytes(4, 'remote address'));
  node.u16('local port');
  node.u16('remote port');
  const protocol = protocolText(node.u16('protocol'));
  const origin = node.u8('static') === 0 ? 'DHCP' : 'Static';
  const rest = node.left < 8 ? [] : [dotted(node.bytes(4, 'gateway')), dotted(node.bytes(4, 'mask'))];
  return `IPv4(${[remote, protocol, origin, local, ...rest].join(',')})`;
}

const IPV6_ORIGINS: { readonly [id: number]: string } = {
  0: 'Static',
  1: 'StatelessAutoConfigure',
  2: 'StatefulAutoConfigure',
};

function ipv6Text(node: LittleEndianReader): string {
  const local = colons(node.bytes(16, 'local address'));
  const remote = colons(node.bytes(16, 'remote address'));
  node.u16('local port');
  node.u16('remote port');
  const protocol = protocolText(node.u16('protocol'));
  const origin = node.u8('origin');
  const rest = node.left < 17 ? [] : [hex(node.u8('prefix length')), colons(node.bytes(16, 'gateway'))];
  return `IPv6(${[remote, protocol, IPV6_ORIGINS[origin] ?? hex(origin), local, ...rest].join(',')})`;
}

function uartText(node: LittleEndianReader): string {
  node.u32('reserved');
  const baud = node.u64('baud rate');
  const bits = node.u8('data bits');
  const parity = 'DNEOMS'[node.u8('parity')] ?? 'x';
  const stop = ['D', '1', '1.5', '2'][node.u8('stop bits')] ?? 'x';
  return `Uart(${baud === 0n ? 'DEFAULT' : baud},${bits === 0 ? 'DEFAULT' : bits},${parity},${stop})`;
}

function usbClassText(node: LittleEndianReader): string {
  const ids = `${hex(node.u16('vendor'))},${hex(node.u16('product'))}`;
  const usbClass = node.u8('class');
  const rest = `${hex(node.u8('subclass'))},${hex(node.u8('protocol'))}`;
  const name = USB_CLASSES[usbClass];
  return name === undefined ? `UsbClass(${ids},${hex(usbClass)},${rest})` : `${name}(${ids},${rest})`;
}

function usbWwidText(node: LittleEndianReader): string {
  const interfaceNumber = hex(node.u16('interface'));
  const ids = `${hex(node.u16('vendor'))},${hex(node.u16('product'))}`;
  const serial = utf16(node.bytes(node.left, 'serial number')).replace(/\0+$/, '');
  return `UsbWwid(${ids},${interfaceNumber},"${serial}")`;
}

function iscsiText(node: LittleEndianReader): string {
  const protocol = node.u16('protocol') === 0 ? 'TCP' : 'reserved';
  const options = node.u16('options');
  const lun = toHex(node.bytes(8, 'lun'));
  const portal = node.u16('portal group');
  const target = utf8(node.bytes(node.left, 'target')).replace(/\0.*$/s, '');
  const headerDigest = (options & 0x3) === 2 ? 'CRC32C' : 'None';
  const dataDigest = (options & 0xc) === 8 ? 'CRC32C' : 'None';
  const authentication = (options & 0x1000) !== 0 ? 'None' : (options & 0x2000) !== 0 ? 'CHAP_UNI' : 'CHAP_BI';
  return `iSCSI(${target},${hex(portal)},0x${lun},${headerDigest},${dataDigest},${authentication},${protocol})`;
}

function dnsText(node: LittleEndianReader): string {
  const isIpv6 = node.u8('address family') === 1;
  const servers: string[] = [];
  while (node.left >= 16) {
    const address = node.bytes(16, 'server');
    servers.push(isIpv6 ? colons(address) : dotted(address.subarray(0, 4)));
  }
  return `Dns(${servers.join(',')})`;
}

const dotted = (address: Uint8Array): string => Array.from(address).join('.');

function colons(address: Uint8Array): string {
  const reader = littleEndianReader(address);
  const groups: string[] = [];
  while (reader.left > 0) groups.push(((reader.u8('high') << 8) | reader.u8('low')).toString(16));
  return groups.join(':');
}
