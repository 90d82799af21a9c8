import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../../shared/bytes.ts';
import { devicePathText } from './device-path.ts';
import { LogError } from './little-endian.ts';
import { guid, text, u8, u16, u32, u64, utf16 } from './testing/raw-log.ts';

const node = (type: number, subtype: number, ...body: Uint8Array[]): Uint8Array => {
  const bytes = concatBytes(...body);
  return concatBytes(u8(type), u8(subtype), u16(bytes.length + 4), bytes);
};
const END = fromHex('7fff0400');
const NEXT_INSTANCE = fromHex('7f010400');
const G = '462caa21-7614-4503-836e-8ab6f4662331';
const zeros = (count: number): Uint8Array => new Uint8Array(count);

/** Texts are those of UEFI 2.10 §10.6.1.6. */
const NODES: readonly { readonly text: string; readonly bytes: Uint8Array }[] = [
  { text: 'Pci(0x1f,0x2)', bytes: node(1, 1, u8(2), u8(0x1f)) },
  { text: 'PcCard(0x3)', bytes: node(1, 2, u8(3)) },
  { text: 'MemoryMapped(0xb,0x1000,0x1fff)', bytes: node(1, 3, u32(11), u64(0x1000n), u64(0x1fffn)) },
  { text: `VenHw(${G})`, bytes: node(1, 4, guid(G)) },
  { text: `VenHw(${G},0102)`, bytes: node(1, 4, guid(G), fromHex('0102')) },
  { text: 'Ctrl(0x1)', bytes: node(1, 5, u32(1)) },
  { text: 'BMC(0x1,0xffff)', bytes: node(1, 6, u8(1), u64(0xffffn)) },
  { text: 'PciRoot(0x0)', bytes: node(2, 1, u32(0x0a0341d0), u32(0)) },
  { text: 'PcieRoot(0x1)', bytes: node(2, 1, u32(0x0a0841d0), u32(1)) },
  { text: 'Floppy(0x1)', bytes: node(2, 1, u32(0x060441d0), u32(1)) },
  { text: 'Acpi(PNP0C02,0x0)', bytes: node(2, 1, u32(0x0c0241d0), u32(0)) },
  { text: 'Acpi(0xffff,0x0)', bytes: node(2, 1, u32(0xffff), u32(0)) },
  { text: 'AcpiEx(PNP0A08,PNP0A03,0x0)', bytes: node(2, 2, u32(0x0a0841d0), u32(0), u32(0x0a0341d0), zeros(3)) },
  { text: 'AcpiEx(A,0,B)', bytes: node(2, 2, u32(0), u32(0), u32(0), text('A\0B\0\0')) },
  { text: 'AcpiAdr(0x80010100,0x1)', bytes: node(2, 3, u32(0x80010100), u32(1)) },
  { text: 'Ata(Primary,Slave,0x0)', bytes: node(3, 1, u8(0), u8(1), u16(0)) },
  { text: 'Scsi(0x1,0x2)', bytes: node(3, 2, u16(1), u16(2)) },
  { text: 'Fibre(0x1,0x2)', bytes: node(3, 3, u32(0), u64(1n), u64(2n)) },
  { text: 'I1394(000000000000abcd)', bytes: node(3, 4, u32(0), u64(0xabcdn)) },
  { text: 'USB(0x3,0x0)', bytes: node(3, 5, u8(3), u8(0)) },
  { text: 'I2O(0x7)', bytes: node(3, 6, u32(7)) },
  { text: `Infiniband(0x1,${G},0x2,0x3,0x4)`, bytes: node(3, 9, u32(1), guid(G), u64(2n), u64(3n), u64(4n)) },
  { text: `VenMsg(${G})`, bytes: node(3, 10, guid(G)) },
  { text: 'VenUtf8()', bytes: node(3, 10, guid('ad15a0d6-8bec-4acf-a073-d01de77e2d88')) },
  { text: 'MAC(525400123456,0x1)', bytes: node(3, 11, fromHex('525400123456'), zeros(26), u8(1)) },
  {
    text: 'IPv4(192.168.0.1,UDP,DHCP,0.0.0.0,0.0.0.0,0.0.0.0)',
    bytes: node(3, 12, zeros(4), Uint8Array.of(192, 168, 0, 1), u16(0), u16(0), u16(17), u8(0), zeros(8)),
  },
  {
    text: 'IPv4(10.0.0.1,TCP,Static,10.0.0.2)',
    bytes: node(3, 12, Uint8Array.of(10, 0, 0, 2), Uint8Array.of(10, 0, 0, 1), u16(0), u16(0), u16(6), u8(1)),
  },
  {
    text: 'IPv6(fe80:0:0:0:0:0:0:1,TCP,Static,0:0:0:0:0:0:0:0,0x40,0:0:0:0:0:0:0:0)',
    bytes: node(
      3,
      13,
      zeros(16),
      fromHex(`fe80${'00'.repeat(13)}01`),
      u16(0),
      u16(0),
      u16(6),
      u8(0),
      u8(64),
      zeros(16),
    ),
  },
  { text: 'Uart(115200,8,N,1)', bytes: node(3, 14, u32(0), u64(115200n), u8(8), u8(1), u8(1)) },
  {
    text: 'UsbMassStorage(0xffff,0xffff,0x6,0x50)',
    bytes: node(3, 15, u16(0xffff), u16(0xffff), u8(8), u8(6), u8(0x50)),
  },
  { text: 'UsbClass(0x1,0x2,0x63,0x4,0x5)', bytes: node(3, 15, u16(1), u16(2), u8(0x63), u8(4), u8(5)) },
  { text: 'UsbWwid(0x1,0x2,0x3,"AB")', bytes: node(3, 16, u16(3), u16(1), u16(2), utf16('AB')) },
  { text: 'Unit(0x1)', bytes: node(3, 17, u8(1)) },
  { text: 'Sata(0x0,0xffff,0x0)', bytes: node(3, 18, u16(0), u16(0xffff), u16(0)) },
  {
    text: 'iSCSI(iqn.x,0x1,0x0000000000000000,None,CRC32C,CHAP_BI,TCP)',
    bytes: node(3, 19, u16(0), u16(0x8), zeros(8), u16(1), text('iqn.x')),
  },
  { text: 'Vlan(7)', bytes: node(3, 20, u16(7)) },
  { text: 'NVMe(0x1,00-25-38-5B-71-B0-12-34)', bytes: node(3, 23, u32(1), fromHex('3412b0715b382500')) },
  { text: 'Uri(http://boot.example/x.efi)', bytes: node(3, 24, text('http://boot.example/x.efi')) },
  { text: 'UFS(0x0,0x1)', bytes: node(3, 25, u8(0), u8(1)) },
  { text: 'SD(0x0)', bytes: node(3, 26, u8(0)) },
  { text: 'Bluetooth(010203040506)', bytes: node(3, 27, fromHex('010203040506')) },
  { text: 'Wi-Fi(net)', bytes: node(3, 28, text('net'), zeros(29)) },
  { text: 'eMMC(0x1)', bytes: node(3, 29, u8(1)) },
  { text: 'Dns(10.0.0.1)', bytes: node(3, 31, u8(0), Uint8Array.of(10, 0, 0, 1), zeros(12)) },
  {
    text: `HD(1,GPT,${G},0x800,0x100000)`,
    bytes: node(4, 1, u32(1), u64(0x800n), u64(0x100000n), guid(G), u8(2), u8(2)),
  },
  {
    text: 'HD(1,MBR,0xa0021243,0x0,0x7d82)',
    bytes: node(4, 1, u32(1), u64(0n), u64(0x7d82n), u32(0xa0021243), zeros(12), u8(1), u8(1)),
  },
  { text: 'HD(1,0,0,0x0,0x1)', bytes: node(4, 1, u32(1), u64(0n), u64(1n), zeros(16), u8(1), u8(0)) },
  { text: 'CDROM(0x1,0x96a6,0x4000)', bytes: node(4, 2, u32(1), u64(0x96a6n), u64(0x4000n)) },
  { text: `VenMedia(${G})`, bytes: node(4, 3, guid(G)) },
  { text: '\\EFI\\BOOT\\BOOTX64.EFI', bytes: node(4, 4, utf16('\\EFI\\BOOT\\BOOTX64.EFI\0')) },
  { text: `Media(${G})`, bytes: node(4, 5, guid(G)) },
  { text: `FvFile(${G})`, bytes: node(4, 6, guid(G)) },
  { text: `Fv(${G})`, bytes: node(4, 7, guid(G)) },
  { text: 'Offset(0x12800,0x3cdff)', bytes: node(4, 8, u32(0), u64(0x12800n), u64(0x3cdffn)) },
  { text: `RamDisk(0x1,0x2,3,${G})`, bytes: node(4, 9, u64(1n), u64(2n), guid(G), u16(3)) },
  { text: 'BBS(HD,Disk,0x0)', bytes: node(5, 1, u16(2), u16(0), text('Disk\0')) },
  { text: 'Path(1,9,abcd)', bytes: node(1, 9, fromHex('abcd')) },
  { text: 'Path(9,9,)', bytes: node(9, 9) },
  { text: 'Path(1,1,02)', bytes: node(1, 1, u8(2)) },
];

describe('a device path node', () => {
  it.each(NODES)('$text', ({ text, bytes }) => {
    expect(devicePathText(concatBytes(bytes, END))).toBe(text);
    expect(devicePathText(bytes)).toBe(text); // as some firmware measures it, without an end
  });
});

describe('a device path', () => {
  const root = node(2, 1, u32(0x0a0341d0), u32(0));
  const pci = node(1, 1, u8(0), u8(2));

  it.each([
    { name: 'is empty without nodes', bytes: new Uint8Array(), text: '' },
    { name: 'is empty with an end alone', bytes: END, text: '' },
    { name: 'joins nodes', bytes: concatBytes(root, pci, END), text: 'PciRoot(0x0)/Pci(0x2,0x0)' },
    { name: 'parts instances', bytes: concatBytes(root, NEXT_INSTANCE, pci, END), text: 'PciRoot(0x0),Pci(0x2,0x0)' },
    { name: 'ends at its end', bytes: concatBytes(root, END, pci), text: 'PciRoot(0x0)' },
  ])('$name', ({ bytes, text }) => expect(devicePathText(bytes)).toBe(text));

  it.each([
    { name: 'a node of three bytes', bytes: fromHex('01010300'), code: 'LOG_EVENT_BAD' },
    { name: 'a node past the end', bytes: fromHex('01010700aa'), code: 'LOG_TRUNCATED' },
    { name: 'half a head', bytes: fromHex('0101'), code: 'LOG_TRUNCATED' },
    { name: '257 nodes', bytes: concatBytes(...Array.from({ length: 257 }, () => pci)), code: 'LOG_TOO_LARGE' },
  ])('refuses $name', ({ bytes, code }) => {
    expect(() => devicePathText(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it('of random bytes is a text or a coded error', () => {
    const anyNode = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 34 }), fc.uint8Array({ maxLength: 48 }))
      .map(([type, subtype, body]) => node(type, subtype, body));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), anyNode), (bytes) => {
        try {
          expect(typeof devicePathText(bytes)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(LogError);
        }
      }),
    );
  });
});
