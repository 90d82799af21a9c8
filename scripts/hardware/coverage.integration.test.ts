/** The kernel modules that image.json chooses serve the wired cards of PCs from 2010 on and of the common hypervisors. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readImageSpec } from '../image-spec.ts';
import { stageKernelModules } from '../kernel-modules.ts';
import { readLock } from '../lock-file.ts';
import { projectRoot } from '../project.ts';
import { unpackLocked } from '../testing/locked-packages.ts';
import { type HardwareList, modulesServing } from './hardware-list.ts';
import { readHardware } from './read-hardware.ts';

let scratch: string;
let list: HardwareList;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hardware-test-'));
  const spec = await readImageSpec(join(projectRoot, 'image/image.json'));
  const lock = await readLock(join(projectRoot, 'image/image.lock.json'), spec);
  const kernel = lock.packages.find(({ roles }) => roles.includes('kernel'))?.name ?? '';
  const { tools, folderOf } = await unpackLocked([kernel], scratch);
  const tree = join(scratch, 'modules');
  const wanted = [...spec.kernelModules, ...spec.initrdModules];
  const staged = await stageKernelModules({ kernelFolder: folderOf(kernel), wanted, output: tree }, tools);
  list = await readHardware({ image: spec, modules: { ...staged, tree }, toolsFolder: join(scratch, 'tools') });
}, 300_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

it.each([
  {
    maker: 'Intel, gigabit of chipsets',
    module: 'e1000e',
    ids: ['8086:10d3', '8086:1502', '8086:153a', '8086:15b8', '8086:550a'],
  },
  { maker: 'Intel, server gigabit', module: 'igb', ids: ['8086:1533', '8086:1521', '8086:10c9'] },
  { maker: 'Intel, 2.5 gigabit', module: 'igc', ids: ['8086:15f3', '8086:125b', '8086:125c'] },
  { maker: 'Intel, 10 gigabit', module: 'ixgbe', ids: ['8086:10fb', '8086:1528'] },
  { maker: 'Intel, 40 gigabit', module: 'i40e', ids: ['8086:1572'] },
  { maker: 'Intel, of small boards', module: 'dwmac_intel', ids: ['8086:4b32'] },
  {
    maker: 'Realtek, gigabit to 5 gigabit',
    module: 'r8169',
    ids: ['10ec:8168', '10ec:8136', '10ec:8125', '10ec:8126'],
  },
  { maker: 'Realtek, 100 Mbit', module: '8139too', ids: ['10ec:8139'] },
  { maker: 'Broadcom', module: 'tg3', ids: ['14e4:1682', '14e4:165f', '14e4:1686'] },
  { maker: 'Marvell', module: 'sky2', ids: ['11ab:4381', '11ab:4364'] },
  { maker: 'Aquantia', module: 'atlantic', ids: ['1d6a:d107', '1d6a:94c0'] },
  { maker: 'Atheros, Killer', module: 'alx', ids: ['1969:1091', '1969:e091', '1969:e0b1'] },
  { maker: 'Atheros', module: 'atl1c', ids: ['1969:1083', '1969:1062', '1969:1063'] },
  { maker: 'nVidia', module: 'forcedeth', ids: ['10de:0ab0', '10de:054c'] },
  { maker: 'VIA', module: 'via_velocity', ids: ['1106:3119'] },
  { maker: 'VIA, 100 Mbit', module: 'via_rhine', ids: ['1106:3106'] },
  { maker: 'JMicron', module: 'jme', ids: ['197b:0250'] },
  { maker: 'AMD, 10 gigabit', module: 'amd_xgbe', ids: ['1022:1458'] },
  { maker: 'VMware', module: 'vmxnet3', ids: ['15ad:07b0'] },
  { maker: 'VMware and VirtualBox', module: 'e1000', ids: ['8086:100f', '8086:100e'] },
  { maker: 'VirtualBox', module: 'pcnet32', ids: ['1022:2000'] },
  { maker: 'Hyper-V, first generation', module: 'tulip', ids: ['1011:0009'] },
  { maker: 'Amazon', module: 'ena', ids: ['1d0f:ec20'] },
  { maker: 'Google', module: 'gve', ids: ['1ae0:0042'] },
])('PCI: $maker ($module)', ({ module, ids }) => {
  for (const id of ids) expect(modulesServing(list, 'PCI', id), id).toContain(module);
});

it.each([
  { maker: 'Realtek', module: 'r8152', ids: ['0bda:8152', '0bda:8153', '0bda:8156'] },
  { maker: 'ASIX, gigabit', module: 'ax88179_178a', ids: ['0b95:1790'] },
  { maker: 'ASIX, 100 Mbit', module: 'asix', ids: ['0b95:772b'] },
  { maker: 'Microchip', module: 'lan78xx', ids: ['0424:7800'] },
  { maker: 'SMSC', module: 'smsc95xx', ids: ['0424:ec00'] },
])('USB: $maker ($module)', ({ module, ids }) => {
  for (const id of ids) expect(modulesServing(list, 'USB', id), id).toContain(module);
});

it.each(['virtio_net', 'hv_netvsc', 'xen_netfront', 'cdc_ncm', 'xhci_pci', 'ahci', 'tpm_crb'])('has %s', (module) => {
  expect(list.modules.map((one) => one.module)).toContain(module);
});

it('does not claim a card that it cannot drive', () => {
  expect(modulesServing(list, 'PCI', '10ec:8029')).toEqual([]); // NE2000
  expect(modulesServing(list, 'PCI', '14e4:1639')).toEqual([]); // NetXtreme II: needs firmware that Debian's main lacks
});
