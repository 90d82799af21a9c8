import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createGuard } from './guard.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cpushare-guard-'));
  await put('etc/sysctl.conf', 'kernel.sysrq = 0\nnet.ipv4.ip_forward = 0\n');
  await put('proc/cmdline', 'BOOT_IMAGE=/boot/vmlinuz quiet\n');
  await put('proc/sys/kernel/sysrq', '0\n');
  await put('proc/sys/net/ipv4/ip_forward', '0\n');
  await put('proc/sys/kernel/modules_disabled', '0\n');
  await put('sys/kernel/security/lockdown', 'none integrity [confidentiality]\n');
  await put('sys/module/module/parameters/sig_enforce', 'Y\n');
  for (const hub of ['usb1', 'usb2']) await put(`sys/bus/usb/devices/${hub}/authorized_default`, '1\n');
  await put('sys/bus/usb/devices/1-1/authorized', '1\n');
  for (const bus of ['pci', 'usb', 'virtio']) await put(`sys/bus/${bus}/drivers_autoprobe`, '1\n');
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
const read = async (path: string) => (await readFile(join(root, path), 'utf8')).trim();

async function guardOf(loaded: string[] = []) {
  const places = { sys: join(root, 'sys'), proc: join(root, 'proc'), kernelSettings: join(root, 'etc/sysctl.conf') };
  const loadModules = async (names: readonly string[]) => {
    expect(await read('proc/sys/kernel/modules_disabled')).toBe('0');
    loaded.push(...names);
  };
  return await createGuard({ places, commandLine: 'quiet', loadModules });
}

it('passes a closed machine, and names what was opened since', async () => {
  const guard = await guardOf();
  await guard.check();
  await put('proc/sys/kernel/sysrq', '1\n');
  await put('proc/net/tcp', '   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:0 0 0 9\n');
  await expect(guard.check()).rejects.toMatchObject({
    code: 'MACHINE_NOT_CLOSED',
    message: 'the kernel setting kernel.sysrq is 1, not 0; something listens on TCP port 22',
  });
});

it('closes: last drivers, then no driver and no new device; those in use stay', async () => {
  const loaded: string[] = [];
  await (await guardOf(loaded)).close();
  expect(loaded).toEqual(['tun']);
  expect(await read('proc/sys/kernel/modules_disabled')).toBe('1');
  for (const hub of ['usb1', 'usb2']) expect(await read(`sys/bus/usb/devices/${hub}/authorized_default`)).toBe('0');
  expect(await read('sys/bus/usb/devices/1-1/authorized')).toBe('1');
  expect(await read('sys/bus/pci/drivers_autoprobe')).toBe('0');
  expect(await read('sys/bus/virtio/drivers_autoprobe')).toBe('1');
});

it('does not pass for closed when the kernel took the word back', async () => {
  const guard = await guardOf();
  await guard.close();
  await put('proc/sys/kernel/modules_disabled', '0\n');
  await expect(guard.check()).rejects.toMatchObject({ message: 'the kernel still takes drivers' });
});

it('a machine that says nothing about itself is not closed', async () => {
  await rm(join(root, 'sys'), { recursive: true });
  await expect((await guardOf()).check()).rejects.toMatchObject({ code: 'MACHINE_NOT_CLOSED' });
});
