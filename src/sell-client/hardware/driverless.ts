/**
 * Network devices that no driver of this image has taken, as sysfs shows them: PCI functions of class 02 (PCI Code and ID
 * Assignment), USB interfaces of the network classes (USB CDC 1.2, RNDIS), and USB devices of their maker's own class,
 * which may be network adapters: only their driver would know.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface DriverlessDevice {
  readonly what: 'wired' | 'wireless' | 'network' | 'perhaps-network';
  readonly bus: 'PCI' | 'USB';
  /** `vendor:device`, four hex digits each, as lspci and lsusb show it. */
  readonly id: string;
  /** `0000:03:00.0` on PCI, port path such as `1-2` on USB. */
  readonly slot: string;
}

const NETWORK_CONTROLLER = '02';
/** Class, subclass and protocol of USB interfaces that are network adapters by standard; `*` for any. */
const USB_NETWORK = ['02:06:*', '02:0d:*', 'e0:01:03', 'ef:04:01'];
const VENDOR_SPECIFIC = 'ff';

/** Sorted by bus and slot. */
export async function findDriverless(sys: string): Promise<DriverlessDevice[]> {
  const pci = await Promise.all((await list(join(sys, 'bus/pci/devices'))).map((slot) => pciDevice(sys, slot)));
  const usb = await usbDevices(sys);
  return [...pci.filter((one) => one !== null), ...usb].sort((a, b) =>
    `${a.bus} ${a.slot}` < `${b.bus} ${b.slot}` ? -1 : 1,
  );
}

async function pciDevice(sys: string, slot: string): Promise<DriverlessDevice | null> {
  const folder = join(sys, 'bus/pci/devices', slot);
  const found = /^0x(\w{2})(\w{2})\w{2}$/.exec(await line(join(folder, 'class')));
  if (found?.[1] !== NETWORK_CONTROLLER || (await hasDriver(folder))) return null;
  const id = `${hex(await line(join(folder, 'vendor')))}:${hex(await line(join(folder, 'device')))}`;
  // Wireless cards call themselves "other network controller".
  const what = found[2] === '00' ? 'wired' : found[2] === '80' ? 'wireless' : 'network';
  return { what, bus: 'PCI', id, slot };
}

/** One entry per device, however many interfaces it has; a device with one driven interface counts as driven. */
async function usbDevices(sys: string): Promise<DriverlessDevice[]> {
  const interfaces = (await list(join(sys, 'bus/usb/devices'))).filter((name) => name.includes(':'));
  const byDevice = new Map<string, string[]>();
  for (const name of interfaces) {
    const folder = await realpath(join(sys, 'bus/usb/devices', name)).catch(() => '');
    if (folder !== '') byDevice.set(dirname(folder), [...(byDevice.get(dirname(folder)) ?? []), folder]);
  }
  const found = await Promise.all([...byDevice].map(([device, folders]) => usbDevice(device, folders)));
  return found.filter((one) => one !== null);
}

async function usbDevice(device: string, interfaces: readonly string[]): Promise<DriverlessDevice | null> {
  for (const folder of interfaces) if (await hasDriver(folder)) return null;
  const classes = await Promise.all(interfaces.map(interfaceClass));
  const network = classes.some((one) => USB_NETWORK.some((known) => matches(one, known)));
  if (!network && !classes.some((one) => one.startsWith(`${VENDOR_SPECIFIC}:`))) return null;
  const id = `${hex(await line(join(device, 'idVendor')))}:${hex(await line(join(device, 'idProduct')))}`;
  return { what: network ? 'wired' : 'perhaps-network', bus: 'USB', id, slot: basename(device) };
}

async function interfaceClass(folder: string): Promise<string> {
  const names = ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol'];
  return (await Promise.all(names.map((name) => line(join(folder, name))))).join(':').toLowerCase();
}

function matches(found: string, known: string): boolean {
  return known.endsWith('*') ? found.startsWith(known.slice(0, -1)) : found === known;
}

async function hasDriver(folder: string): Promise<boolean> {
  return readlink(join(folder, 'driver')).then(
    () => true,
    () => false,
  );
}

/** Only what cannot disturb a screen. */
function hex(text: string): string {
  return /^(?:0x)?([0-9a-f]{4})$/i.exec(text)?.[1]?.toLowerCase() ?? '????';
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function line(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
