/** Closed to its operator: one attested machine, attacked from every side its owner has, and attested again afterwards. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Machine } from '../../scripts/run/machine.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { press, type } from './attack/keyboard.ts';
import { memoryOverwriteRequested, variablesWithRequest } from './attack/memory-overwrite.ts';
import { scanAllPorts } from './attack/network-scan.ts';
import { filesOfImage } from './attack/root-files.ts';
import { openSerialLine } from './attack/serial-line.ts';
import { plugInKeyboard, plugInNetworkCard, plugInStick, readsOf } from './attack/usb.ts';
import {
  BOOT_TIMEOUT_MS,
  bootScene,
  checkedByABuyer,
  createScene,
  isoFile,
  testTools,
  waitForVerdict,
} from './support.ts';
import { keepLength, withEditedGrubConfig, withOneByteChangedInInitrd } from './tamper.ts';

/** Every file that can be run, libraries aside. Whatever joins them is a decision. */
const PROGRAMS = [
  '/usr/bin/false',
  '/usr/bin/ip',
  '/usr/bin/kmod',
  '/usr/bin/node',
  '/usr/bin/qemu-system-x86_64',
  '/usr/lib/cpushare/init',
  '/usr/lib/cpushare/vmware-backdoor',
  '/usr/sbin/dhcpcd',
];
const FORBIDDEN = ['sh', 'bash', 'dash', 'ash', 'busybox', 'login', 'su', 'sudo', 'getty', 'agetty', 'sulogin'].concat([
  'python3',
  'perl',
  'awk',
  'gdb',
  'strace',
  'sshd',
  'telnetd',
  'mount',
  'kexec',
  'systemd',
  'gdbserver',
  'tclsh',
]);

/** What a shell, a login, GRUB or the kernel's hot keys would say. */
const WAY_IN = /login:|Password:|[#$] ?$|grub>|sysrq: |SysRq|BusyBox|uid=0/m;
const STARTED = /cpushare: boot=/g;

/** Name servers, DHCP, TFTP, NTP, NetBIOS, SNMP, IKE, UPnP, mDNS, LLMNR: what a machine in a home may be asked. */
const UDP_PORTS = [53, 67, 69, 123, 137, 161, 500, 1900, 5353, 5355];

const PCAP_HEADER_BYTES = 24;

describe('the image', () => {
  it('holds no shell, no login, no other interpreter, and nothing that gives rights', async () => {
    const tools = await testTools();
    const folder = await mkdtemp(join(tmpdir(), 'cpushare-closed-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { initrd, root, read } = await filesOfImage(isoFile, folder, tools);
    expect(initrd.filter((path) => /(^|\/)(init|\w*sh|busybox)$/.test(path))).toEqual(['init']);

    const programs = root.filter(({ path, mode }) => /^-..x/.test(mode) && !/\.so(\.|$)/.test(path));
    expect(programs.map(({ path }) => path).sort()).toEqual(PROGRAMS);
    expect(root.filter(({ mode }) => /[sS]/.test(mode.slice(1))).map(({ path }) => path)).toEqual([]);
    // Links to programs under other names, as busybox would have them, would be seen here.
    const names = root.map(({ path }) => basename(path));
    expect(names.filter((name) => FORBIDDEN.includes(name))).toEqual([]);
    for (const { path } of root.filter(
      (one) => one.path.startsWith('/usr/lib/modprobe.d/') && one.path.endsWith('.conf'),
    )) {
      expect(await read(path), `${path} runs a command`).not.toMatch(/^\s*(install|remove)\s/m);
    }
  });
});

describe('a running machine', () => {
  it('does not open: keyboard, serial line, network, USB, monitor', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { firmwareVariables: await variablesWithRequest(scene.folder) });
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('accepted');
    await machine.waitForSerial(/cpushare: closed=yes/, 10_000);
    // should the machine be reset in its midst
    expect(await memoryOverwriteRequested(scene.folder)).toBe(true);
    const before = await machine.serialText();

    await attackKeyboard(machine);
    await attackSerialLine(machine, scene.folder);
    await attackUsb(machine, scene.folder);
    await attackMonitor(machine, scene.folder);
    expect(await scanAllPorts(machine, scene.folder, UDP_PORTS)).toEqual({
      open: [],
      refused: 65_535,
      udpRefused: UDP_PORTS,
      answersPing: true,
    });
    expect((await stat(join(scene.folder, 'late-net.pcap'))).size, 'packets of a late network card').toBe(
      PCAP_HEADER_BYTES,
    );

    // The same sell client, never started again, and the same machine to a buyer who asks now.
    await checkedByABuyer(scene, report.machineId);
    const after = await machine.serialText();
    expect(after.match(STARTED)).toHaveLength(1);
    expect(after.slice(before.length)).not.toMatch(WAY_IN);
    expect(after.slice(before.length)).not.toMatch(/error=/);
  });
});

async function attackKeyboard({ qmp }: Machine): Promise<void> {
  // Restarting it would end QEMU (-no-reboot).
  await press(qmp, 'ctrl', 'alt', 'delete');
  for (let again = 0; again < 8; again += 1) await press(qmp, 'ctrl', 'alt', 'delete');
  for (const key of ['b', 'k', 'f', 'e', 'i', 'c', 'o', 'r', 'g', 't']) await press(qmp, 'alt', 'sysrq', key);
  for (let number = 2; number <= 7; number += 1) await press(qmp, 'alt', `f${number}`);
  await press(qmp, 'alt', 'right');
  await press(qmp, 'alt', 'up');
  for (const key of ['c', 'z', 'd', 's', 'q', 'backslash']) await press(qmp, 'ctrl', key);
  await type(qmp, '\nroot\n\nid\nreboot -f\n');
}

async function attackSerialLine(machine: Machine, folder: string): Promise<void> {
  const line = await openSerialLine(machine, folder);
  line.send('\x03\x1a\x1c\x04\r\nroot\r\n\r\nid\r\necho b > /proc/sysrq-trigger\r\n~.\x1b[A\r');
  for (const key of 'bcefgikotu') {
    line.sendBreak();
    line.send(key);
  }
}

async function attackUsb(machine: Machine, folder: string): Promise<void> {
  const { qmp } = machine;
  // Proof that reads would be seen: the stick with the configuration was there in time.
  expect(await readsOf(qmp, 'configuration')).toBeGreaterThan(0);
  const stick = join(folder, 'late.img');
  await writeFile(stick, new Uint8Array(1024 * 1024));
  await plugInStick(qmp, 'late', stick);
  await plugInNetworkCard(qmp, 'late-net', join(folder, 'late-net.pcap'));
  await plugInKeyboard(qmp, 'ducky');
  await type(qmp, '\nroot\nid\n');
  await press(qmp, 'ctrl', 'alt', 'delete');
}

async function attackMonitor({ qmp }: Machine, folder: string): Promise<void> {
  await qmp.execute('inject-nmi');
  await qmp.execute('system_powerdown');
  await qmp.execute('eject', { id: 'medium-device', force: true });
  const other = await withOneByteChangedInInitrd(isoFile, folder);
  await qmp.execute('blockdev-change-medium', { id: 'medium-device', filename: other, format: 'raw' });
  await qmp.execute('stop');
  await qmp.execute('cont');
  expect(await readsOf(qmp, 'late')).toBe(0);
}

describe('a changed start', () => {
  it('an added kernel parameter: it does not start to work, says why, wipes and restarts', async () => {
    const scene = await createScene(await testTools());
    const iso = await withEditedGrubConfig(isoFile, scene.folder, (config) =>
      keepLength(config, config.replace(/^linux .*$/m, '$& sysrq_always_enabled')),
    );
    const machine = await bootScene(scene, { iso });
    const [said] = await machine.waitForSerial(/error=MACHINE_NOT_CLOSED detail="[^"]*"/, BOOT_TIMEOUT_MS);
    expect(said).toContain('sysrq_always_enabled');
    // -no-reboot: a machine that restarts ends here.
    await waitFor(() => !machine.process.isRunning() || undefined, { what: 'its restart', timeoutMs: 90_000 });
    expect((await scene.client.machines()).machines).toEqual([]);
  });
});
