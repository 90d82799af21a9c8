/** Lines of modules.alias (kernel: scripts/mod/file2alias.c): which devices a module says it serves. Only PCI and USB. */

export interface DeviceMatch {
  readonly bus: 'PCI' | 'USB';
  readonly module: string;
  /** `vvvv:dddd`; `*` stands for any. */
  readonly id: string;
  /** Subsystem ids on PCI where the module asks for them, `vvvv:dddd`. */
  readonly subsystem: string | null;
  /** Class, subclass and interface as six hex digits or fewer, where the module asks for them. */
  readonly class: string | null;
}

const PCI = /^pci:v(\*|\w{8})d(\*|\w{8})sv(\*|\w{8})sd(\*|\w{8})bc(\*|\w{2})sc(\*|\w{2})i(\*|\w{2})\*?$/;
const USB =
  /^usb:v(\*|\w{4})p(\*|\w{4})d(?:\[[^\]]*\]|\*|\w)*dc(\*|\w{2})dsc(\*|\w{2})dp(\*|\w{2})ic(\*|\w{2})isc(\*|\w{2})ip(\*|\w{2})in(?:\*|\w{2})\*?$/;

export function parseModuleAliases(text: string): DeviceMatch[] {
  return text.split('\n').flatMap((line) => {
    const [keyword, alias = '', module = ''] = line.split(' ');
    if (keyword !== 'alias') return [];
    return pciMatch(alias, module) ?? usbMatch(alias, module) ?? [];
  });
}

function pciMatch(alias: string, module: string): DeviceMatch | undefined {
  const found = PCI.exec(alias);
  if (found === null) return undefined;
  const [vendor, device, subVendor, subDevice] = found.slice(1, 5).map((field) => field.slice(-4).toLowerCase());
  const subsystem = subVendor === '*' && subDevice === '*' ? null : `${subVendor}:${subDevice}`;
  return { bus: 'PCI', module, id: `${vendor}:${device}`, subsystem, class: classOf(found.slice(5, 8)) };
}

function usbMatch(alias: string, module: string): DeviceMatch | undefined {
  const found = USB.exec(alias);
  if (found === null) return undefined;
  const [vendor, product] = found.slice(1, 3).map((field) => field.toLowerCase());
  const ofDevice = classOf(found.slice(3, 6));
  return {
    bus: 'USB',
    module,
    id: `${vendor}:${product}`,
    subsystem: null,
    class: classOf(found.slice(6, 9)) ?? ofDevice,
  };
}

/** From the left as far as it is given. */
function classOf(fields: readonly string[]): string | null {
  const known = fields.slice(0, fields.indexOf('*') === -1 ? 3 : fields.indexOf('*'));
  return known.length === 0 ? null : known.join('').toLowerCase();
}
