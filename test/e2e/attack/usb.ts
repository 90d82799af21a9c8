/** Somebody with something to plug in, after the start. */
import type { Qmp } from '../../../scripts/run/qmp.ts';

export async function plugInStick(qmp: Qmp, id: string, file: string): Promise<void> {
  await qmp.execute('blockdev-add', { driver: 'raw', 'node-name': id, file: { driver: 'file', filename: file } });
  await qmp.execute('device_add', { driver: 'usb-storage', bus: 'xhci.0', drive: id, id: `${id}-device` });
}

/** What a "rubber ducky" is to a computer. QEMU's keys go to it from then on. */
export async function plugInKeyboard(qmp: Qmp, id: string): Promise<void> {
  await qmp.execute('device_add', { driver: 'usb-kbd', bus: 'xhci.0', id });
}

/** A network card of the attacker's own; every packet on its wire, by either side, goes into `capture`. */
export async function plugInNetworkCard(qmp: Qmp, id: string, capture: string): Promise<void> {
  await qmp.execute('netdev_add', { type: 'user', id });
  await qmp.execute('object-add', { 'qom-type': 'filter-dump', id: `${id}-capture`, netdev: id, file: capture });
  await qmp.execute('device_add', { driver: 'usb-net', bus: 'xhci.0', netdev: id, id: `${id}-device` });
}

interface BlockStatistics {
  readonly device: string;
  readonly qdev?: string;
  readonly 'node-name'?: string;
  readonly stats: { readonly rd_operations: number };
}

/** How often the machine has read from a drive. */
export async function readsOf(qmp: Qmp, drive: string): Promise<number> {
  const all = (await qmp.execute('query-blockstats')) as BlockStatistics[];
  const found = all.find((one) => one.device === drive || one['node-name'] === drive || one.qdev?.includes(drive));
  if (found === undefined) throw new Error(`no drive ${drive}: ${JSON.stringify(all.map(({ device }) => device))}`);
  return found.stats.rd_operations;
}
