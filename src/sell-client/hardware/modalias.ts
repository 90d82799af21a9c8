/** Drivers by modalias: the kernel names every device it sees, modprobe knows which module claims that name. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Modules that no device asks for by name: packet sockets for DHCP, disks behind a bus that has none, what keeps a panic's
 * words (the first that can), and what Wi-Fi keys are computed with in images that have it.
 */
const WIFI_KEYS = ['algif_hash', 'algif_skcipher', 'ccm', 'cmac', 'des_generic', 'gcm'];
const ALWAYS = ['af_packet', 'sd_mod', 'sr_mod', 'efi_pstore', 'ramoops', ...WIFI_KEYS];
/** One command line stays far below the kernel's limit. */
const BATCH = 200;

/** Every modalias now in sight, the processor's included (it selects kvm_intel or kvm_amd). */
export async function readModaliases(sys: string): Promise<string[]> {
  const found = new Set<string>();
  for (const bus of await list(join(sys, 'bus'))) {
    for (const device of await list(join(sys, 'bus', bus, 'devices'))) {
      const alias = await line(join(sys, 'bus', bus, 'devices', device, 'modalias'));
      if (alias !== '') found.add(alias);
    }
  }
  const processor = await line(join(sys, 'devices/system/cpu/modalias'));
  if (processor !== '') found.add(processor);
  return [...found].sort();
}

/**
 * Loads drivers for names not seen before and returns how many were new. Loading one driver (a bus) makes devices and
 * new names appear, so it is called until that settles, and later again for what is plugged in. That most names have no
 * module in this image is normal: modprobe's exit code says nothing here.
 */
export async function loadDrivers(sys: string, seen: Set<string>): Promise<number> {
  const first = seen.size === 0;
  const fresh = (await readModaliases(sys)).filter((alias) => !seen.has(alias));
  for (const alias of fresh) seen.add(alias);
  const names = first ? [...ALWAYS, ...fresh] : fresh;
  for (let at = 0; at < names.length; at += BATCH) {
    await loadModules(names.slice(at, at + BATCH));
  }
  return fresh.length;
}

/** By name or modalias; what this image does not have is passed over. */
export async function loadModules(names: readonly string[]): Promise<void> {
  await execa('modprobe', ['--quiet', '--all', '--', ...names], { reject: false, stdio: 'ignore' });
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function line(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
