/** Which devices the chosen kernel modules serve, with names, in the groups that a seller looks for. Pure. */
import { className, type IdNames } from './id-names.ts';
import { type DeviceMatch, parseModuleAliases } from './module-alias.ts';

export const GROUPS = {
  'wired-network': 'Wired network',
  'usb-network': 'Wired network over USB',
  'wireless-network': 'Wireless network',
  'virtual-machine': 'Virtual machines',
  storage: 'Disks, sticks and CD drives',
  'usb-host': 'USB ports',
  tpm: 'TPM',
  other: 'Other',
} as const;
export type GroupId = keyof typeof GROUPS;

export interface ServedDevice {
  readonly bus: 'PCI' | 'USB' | 'ACPI' | 'virtual';
  /** `vvvv:dddd` where `*` stands for any; the firmware's or hypervisor's own name on other buses. */
  readonly id: string;
  /** Where the module takes only some: `subsystem vvvv:dddd` or `class cccccc`. */
  readonly only: string | null;
  readonly vendor: string;
  readonly name: string;
}

export interface ServedModule {
  readonly module: string;
  /** As the module describes itself. */
  readonly description: string;
  readonly group: GroupId;
  readonly devices: readonly ServedDevice[];
}

export interface HardwareList {
  readonly format: 'cpushare-hardware';
  readonly version: 1;
  readonly image: { readonly name: string; readonly version: string };
  readonly kernel: string;
  readonly modules: readonly ServedModule[];
}

export interface HardwareFacts {
  readonly image: { readonly name: string; readonly version: string };
  readonly kernel: string;
  /** modules.alias of the chosen modules. */
  readonly aliases: string;
  /** modules.builtin: paths of what lies in the kernel itself. */
  readonly builtin: string;
  /** Chosen modules by name as modules.alias spells it. */
  readonly modules: ReadonlyMap<string, { readonly path: string; readonly description: string }>;
  readonly names: { readonly pci: IdNames; readonly usb: IdNames };
}

/** Debian builds these into the kernel, where modules.alias does not list them. ACPI ids: TCG PC Client Platform TPM Profile. */
const BUILTIN: Readonly<Record<string, Omit<ServedModule, 'module'>>> = {
  tpm_crb: builtinTpm('TPM 2.0 with command response buffer (fTPM, PTT)', ['MSFT0101']),
  tpm_tis: builtinTpm('TPM with FIFO interface', ['MSFT0101', 'PNP0C31']),
};

/** Named for what they are on a seller's machine, whatever folder of the kernel they lie in. */
const OF_VIRTUAL_MACHINES = /(^|\/)(virtio|hyperv|hv|vmxnet3|xen|amazon|google)(\/|$)|virtio|\/(vmw_|xen-|hv_)/;

export function hardwareList(facts: HardwareFacts): HardwareList {
  const matches = parseModuleAliases(facts.aliases);
  const virtual = virtualBusIds(facts.aliases);
  const loadable = [...facts.modules].map(([module, { path, description }]): ServedModule => {
    const own = matches.filter((one) => one.module === module).map((one) => served(one, facts.names));
    const devices = distinct([...own, ...(virtual.get(module) ?? [])]);
    return { module, description, group: groupOf(path), devices };
  });
  const builtin = Object.entries(BUILTIN)
    .filter(([module]) => new RegExp(`/${module}\\.ko$`, 'm').test(facts.builtin))
    .map(([module, one]): ServedModule => ({ module, ...one }));
  const modules = [...loadable, ...builtin].filter(({ devices }) => devices.length > 0);
  const { image, kernel } = facts;
  return { format: 'cpushare-hardware', version: 1, image, kernel, modules: modules.sort(byGroupAndName) };
}

function builtinTpm(description: string, ids: readonly string[]): Omit<ServedModule, 'module'> {
  const devices = ids.map((id) => ({ bus: 'ACPI', id, only: null, vendor: '', name: description }) as const);
  return { description: `${description}; built into the kernel`, group: 'tpm', devices };
}

/** virtio:dIDv*, vmbus:GUID, xen:NAME: hypervisors name their devices themselves. */
function virtualBusIds(aliases: string): Map<string, ServedDevice[]> {
  const found = new Map<string, ServedDevice[]>();
  for (const line of aliases.split('\n')) {
    const [, bus = '', id = '', module = ''] = /^alias (virtio|vmbus|xen|xen-backend):(\S+) (\S+)$/.exec(line) ?? [];
    if (bus === '') continue;
    const device: ServedDevice = { bus: 'virtual', id: `${bus}:${id}`, only: null, vendor: '', name: '' };
    found.set(module, [...(found.get(module) ?? []), device]);
  }
  return found;
}

function served(match: DeviceMatch, names: HardwareFacts['names']): ServedDevice {
  const own = match.bus === 'PCI' ? names.pci : names.usb;
  const [vendorId = ''] = match.id.split(':');
  const ofClass = match.class === null ? '' : className(match.class, own);
  const name = own.devices.get(match.id) ?? (match.id.endsWith(':*') && ofClass !== '' ? `any ${ofClass}` : '');
  const only = [
    ...(match.subsystem === null ? [] : [`subsystem ${match.subsystem}`]),
    ...(match.class === null ? [] : [`class ${match.class}`]),
  ].join(', ');
  return {
    bus: match.bus,
    id: match.id,
    only: only === '' ? null : only,
    vendor: own.vendors.get(vendorId) ?? (vendorId === '*' ? 'any vendor' : ''),
    name,
  };
}

function groupOf(path: string): GroupId {
  if (OF_VIRTUAL_MACHINES.test(path)) return 'virtual-machine';
  if (path.includes('/drivers/net/wireless/')) return 'wireless-network';
  if (path.includes('/drivers/net/usb/')) return 'usb-network';
  if (path.includes('/drivers/net/')) return 'wired-network';
  if (/\/drivers\/usb\/storage\//.test(path)) return 'storage';
  if (/\/drivers\/(ata|scsi|nvme|block|cdrom|message|mmc)\//.test(path)) return 'storage';
  if (path.includes('/drivers/usb/')) return 'usb-host';
  return path.includes('/drivers/char/tpm/') ? 'tpm' : 'other';
}

function distinct(devices: readonly ServedDevice[]): ServedDevice[] {
  const byKey = new Map(devices.map((one) => [`${one.bus} ${one.id} ${one.only ?? ''}`, one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function byGroupAndName(a: ServedModule, b: ServedModule): number {
  const order = Object.keys(GROUPS);
  return order.indexOf(a.group) - order.indexOf(b.group) || (a.module < b.module ? -1 : 1);
}

/** The modules that take a device of this id, whatever its subsystem; a class is not looked at. */
export function modulesServing(list: HardwareList, bus: 'PCI' | 'USB', id: string): string[] {
  const [vendor, device] = id.toLowerCase().split(':');
  const takes = (one: ServedDevice) =>
    one.bus === bus && (one.id === `${vendor}:${device}` || (one.id === `${vendor}:*` && one.only === null));
  return list.modules.filter(({ devices }) => devices.some(takes)).map(({ module }) => module);
}
