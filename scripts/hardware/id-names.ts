/** Names of vendors, devices and classes, as pci.ids(5) and usb.ids write them: tabs say what belongs below what. */

export interface IdNames {
  /** By `vvvv`. */
  readonly vendors: ReadonlyMap<string, string>;
  /** By `vvvv:dddd`. */
  readonly devices: ReadonlyMap<string, string>;
  /** By `cc`, `ccss` and `ccsspp`. */
  readonly classes: ReadonlyMap<string, string>;
}

export function parseIdNames(text: string): IdNames {
  const names = { vendors: new Map<string, string>(), devices: new Map<string, string>(), classes: new Map() };
  /** The id of the last line without and with one tab; null below headings that are not of interest. */
  let [top, below]: [{ kind: 'vendor' | 'class'; id: string } | null, string] = [null, ''];
  for (const line of text.split('\n')) {
    const heading = /^(?:(C) ([0-9a-f]{2})|([0-9a-f]{4}))\s+(\S.*)$/.exec(line);
    if (heading !== null) {
      const [, isClass, classId = '', vendorId = '', name = ''] = heading;
      top = isClass === 'C' ? { kind: 'class', id: classId } : { kind: 'vendor', id: vendorId };
      if (top.kind === 'class') names.classes.set(top.id, name);
      else names.vendors.set(top.id, name);
      continue;
    }
    const [, tabs = '', id = '', name = ''] = /^(\t{1,2})([0-9a-f]{2,4})\s+(\S.*)$/.exec(line) ?? [];
    if (tabs === '') {
      if (line !== '' && !line.startsWith('#') && !line.startsWith('\t')) top = null;
    } else if (top?.kind === 'vendor' && tabs.length === 1) names.devices.set(`${top.id}:${id}`, name);
    else if (top?.kind === 'class') {
      if (tabs.length === 1) below = `${top.id}${id}`;
      names.classes.set(tabs.length === 1 ? below : `${below}${id}`, name);
    }
  }
  return names;
}

/** The most exact name there is of a class such as `0c0330`. */
export function className(id: string, names: IdNames): string {
  const parts = [id.slice(0, 2), id.slice(0, 4), id].map((part) => names.classes.get(part));
  return [...new Set(parts.filter((part) => part !== undefined))].join(', ');
}
