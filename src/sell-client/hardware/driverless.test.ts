import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findDriverless } from './driverless.ts';

/** Device folders with their files, laid out as sysfs does: real folders below devices/, links below bus/. */
async function sysWith(devices: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<string> {
  const sys = await mkdtemp(join(tmpdir(), 'sys-'));
  onTestFinished(() => rm(sys, { recursive: true, force: true }));
  await mkdir(join(sys, 'driver'));
  for (const bus of ['pci', 'usb']) await mkdir(join(sys, 'bus', bus, 'devices'), { recursive: true });
  for (const [path, files] of Object.entries(devices)) {
    const folder = join(sys, 'devices', path);
    await mkdir(folder, { recursive: true });
    for (const [name, value] of Object.entries(files)) {
      if (name === 'driver') await symlink(join(sys, 'driver'), join(folder, 'driver'));
      else await writeFile(join(folder, name), `${value}\n`);
    }
    const name = path.split('/').at(-1) ?? '';
    await symlink(folder, join(sys, 'bus', path.startsWith('pci') ? 'pci' : 'usb', 'devices', name));
  }
  return sys;
}

const card = { vendor: '0x10ec', device: '0x8029' };
const adapter = { idVendor: '0BDA', idProduct: '8152' };

it('names wired and wireless cards that no driver took, and no other device', async () => {
  const sys = await sysWith({
    'pci0/0000:03:00.0': { ...card, class: '0x028000' },
    'pci0/0000:00:03.0': { ...card, class: '0x020000' },
    'pci0/0000:00:04.0': { ...card, class: '0x020000', driver: '' },
    'pci0/0000:00:05.0': { ...card, class: '0x030000' },
  });
  expect(await findDriverless(sys)).toEqual([
    { what: 'wired', bus: 'PCI', id: '10ec:8029', slot: '0000:00:03.0' },
    { what: 'wireless', bus: 'PCI', id: '10ec:8029', slot: '0000:03:00.0' },
  ]);
});

const usbInterface = (kind: string) => {
  const [bInterfaceClass = '', bInterfaceSubClass = '', bInterfaceProtocol = ''] = kind.split(':');
  return { bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol };
};

it.each([
  { name: 'CDC Ethernet', kind: '02:06:00', what: 'wired' },
  { name: 'CDC NCM', kind: '02:0d:00', what: 'wired' },
  { name: 'RNDIS of a telephone', kind: 'e0:01:03', what: 'wired' },
  { name: "its maker's own class", kind: 'ff:ff:00', what: 'perhaps-network' },
])('names a USB adapter without driver: $name', async ({ kind, what }) => {
  const sys = await sysWith({ 'usb1/1-2': adapter, 'usb1/1-2/1-2:1.0': usbInterface(kind) });
  expect(await findDriverless(sys)).toEqual([{ what, bus: 'USB', id: '0bda:8152', slot: '1-2' }]);
});

it.each([
  { name: 'a keyboard', kind: '03:01:01' },
  { name: 'Bluetooth', kind: 'e0:01:01' },
  { name: 'a stick', kind: '08:06:50' },
])('does not name $name', async ({ kind }) => {
  const sys = await sysWith({ 'usb1/1-2': adapter, 'usb1/1-2/1-2:1.0': usbInterface(kind) });
  expect(await findDriverless(sys)).toEqual([]);
});

it('takes a device with one driven interface as driven, and shows no strange text', async () => {
  const sys = await sysWith({
    'usb1/1-1': adapter,
    'usb1/1-1/1-1:1.0': { ...usbInterface('02:06:00'), driver: '' },
    'usb1/1-1/1-1:1.1': usbInterface('0a:00:00'),
    'usb1/1-3': { idVendor: '\x1b[2J', idProduct: '' },
    'usb1/1-3/1-3:1.0': usbInterface('ff:00:00'),
  });
  expect(await findDriverless(sys)).toEqual([{ what: 'perhaps-network', bus: 'USB', id: '????:????', slot: '1-3' }]);
});
