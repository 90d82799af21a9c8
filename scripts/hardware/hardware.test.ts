import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hardwareList, modulesServing } from './hardware-list.ts';
import { hardwarePage } from './hardware-page.ts';
import { className, parseIdNames } from './id-names.ts';
import { parseModuleAliases } from './module-alias.ts';
import { moduleDescription } from './read-hardware.ts';

const PCI_IDS = `# comment
10ec  Realtek Semiconductor Co., Ltd.
\t8168  RTL8111/8168 <Gigabit> Ethernet Controller
\t\t1043 8554  P8H61 series motherboard
8086  Intel Corporation
C 0c  Serial bus controller
\t03  USB controller
\t\t30  XHCI
`;
const USB_IDS = `0bda  Realtek Semiconductor Corp.
\t8153  RTL8153 Gigabit Ethernet Adapter
AT 0100  USB Streaming
\t8153  not a device
`;

it('reads names of vendors, devices and classes, and stops at sections of another kind', () => {
  const pci = parseIdNames(PCI_IDS);
  expect(pci.vendors.get('8086')).toBe('Intel Corporation');
  expect(pci.devices.get('10ec:8168')).toBe('RTL8111/8168 <Gigabit> Ethernet Controller');
  expect([...pci.devices.keys()]).toEqual(['10ec:8168']);
  expect(className('0c0330', pci)).toBe('Serial bus controller, USB controller, XHCI');
  expect([...parseIdNames(USB_IDS).devices]).toEqual([['0bda:8153', 'RTL8153 Gigabit Ethernet Adapter']]);
});

describe('modules.alias', () => {
  it.each([
    {
      alias: 'pci:v000010ECd00008168sv*sd*bc*sc*i*',
      is: { bus: 'PCI', id: '10ec:8168', subsystem: null, class: null },
    },
    { alias: 'pci:v*d00008139sv00001186sd00001300bc*sc*i*', is: { bus: 'PCI', id: '*:8139', subsystem: '1186:1300' } },
    { alias: 'pci:v*d*sv*sd*bc0Csc03i30*', is: { bus: 'PCI', id: '*:*', class: '0c0330' } },
    { alias: 'pci:v*d*sv*sd*bc01sc01i*', is: { class: '0101' } },
    { alias: 'usb:v0BDAp8153d*dc*dsc*dp*icFFiscFFip00in*', is: { bus: 'USB', id: '0bda:8153', class: 'ffff00' } },
    { alias: 'usb:v13FDp3940d0[0-2]*dc*dsc*dp*ic*isc*ip*in*', is: { bus: 'USB', id: '13fd:3940', class: null } },
    { alias: 'usb:v125FpA94Ad0160dc*dsc*dp*ic*isc*ip*in*', is: { id: '125f:a94a' } },
  ])('reads $alias', ({ alias, is }) => {
    expect(parseModuleAliases(`# Aliases\nalias ${alias} m\n`)).toEqual([
      expect.objectContaining({ ...is, module: 'm' }),
    ]);
  });

  it('passes over other buses and anything else', () => {
    expect(parseModuleAliases('alias virtio:d00000001v* virtio_net\nalias net-pf-10 ipv6\n\noff\n')).toEqual([]);
    fc.assert(fc.property(fc.string(), (text) => void parseModuleAliases(text)));
  });
});

const list = hardwareList({
  image: { name: 'cpushare-seller', version: '0.1.0' },
  kernel: '6.12',
  aliases: [
    'alias pci:v000010ECd00008168sv*sd*bc*sc*i* r8169',
    'alias pci:v000010ECd00008168sv*sd*bc*sc*i* r8169',
    'alias pci:v*d*sv*sd*bc0Csc03i30* xhci_pci',
    'alias usb:v0BDAp8153d*dc*dsc*dp*icFFisc*ip*in* r8152',
    'alias virtio:d00000001v* virtio_net',
    'alias pci:v00001D0Fd0000EC20sv*sd*bc*sc*i* ena',
  ].join('\n'),
  builtin: 'kernel/drivers/char/tpm/tpm_crb.ko\n',
  modules: new Map(
    Object.entries({
      ena: 'kernel/drivers/net/ethernet/amazon/ena/ena.ko',
      libphy: 'kernel/drivers/net/phy/libphy.ko',
      r8152: 'kernel/drivers/net/usb/r8152.ko',
      r8169: 'kernel/drivers/net/ethernet/realtek/r8169.ko',
      virtio_net: 'kernel/drivers/net/virtio_net.ko',
      xhci_pci: 'kernel/drivers/usb/host/xhci-pci.ko',
    }).map(([name, path]) => [name, { path: `usr/lib/modules/6.12/${path}`, description: `driver "${name}"` }]),
  ),
  names: { pci: parseIdNames(PCI_IDS), usb: parseIdNames(USB_IDS) },
});

it('groups modules by what they are for, names their devices, and leaves out those that serve none', () => {
  const groups = list.modules.map(({ module, group }) => `${group} ${module}`);
  expect(groups).toEqual([
    'wired-network r8169',
    'usb-network r8152',
    'virtual-machine ena',
    'virtual-machine virtio_net',
    'usb-host xhci_pci',
    'tpm tpm_crb',
  ]);
  expect(list.modules[0]?.devices).toEqual([
    {
      bus: 'PCI',
      id: '10ec:8168',
      only: null,
      vendor: 'Realtek Semiconductor Co., Ltd.',
      name: 'RTL8111/8168 <Gigabit> Ethernet Controller',
    },
  ]);
  expect(list.modules[4]?.devices[0]).toMatchObject({
    vendor: 'any vendor',
    name: 'any Serial bus controller, USB controller, XHCI',
  });
});

it('finds who serves an id', () => {
  expect(modulesServing(list, 'PCI', '10EC:8168')).toEqual(['r8169']);
  expect(modulesServing(list, 'USB', '10ec:8168')).toEqual([]);
});

it('writes a page that runs nothing but its own script, with every name escaped', () => {
  const page = hardwarePage(list);
  expect(page).toContain('RTL8111/8168 &#60;Gigabit&#62; Ethernet Controller');
  expect(page).not.toContain('<Gigabit>');
  expect(page).toMatch(
    /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/,
  );
  expect(page).not.toMatch(/(src|href)=/);
});

it("takes a module's description out of its .modinfo", () => {
  expect(moduleDescription(Buffer.from('\x7fELF\0license=GPL\0description=A driver\x01 of cards\0author=x\0'))).toBe(
    'A driver  of cards',
  );
  expect(moduleDescription(Buffer.from('\x7fELF'))).toBe('');
});
