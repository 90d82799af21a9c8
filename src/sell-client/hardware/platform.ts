/** Facts about the machine that go into its claims: read, never judged, here. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Platform {
  readonly bootMode: 'uefi' | 'bios';
  /** `null` where the firmware has no such setting. */
  readonly secureBoot: boolean | null;
  readonly cpuModel: string;
  readonly memoryBytes: number;
}

export interface KernelFolders {
  readonly sys: string;
  readonly proc: string;
}

/** UEFI §3.3: GUID of the global variables. */
const SECURE_BOOT = 'firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

export async function readPlatform(folders: KernelFolders): Promise<Platform> {
  const uefi = await access(join(folders.sys, 'firmware/efi')).then(
    () => true,
    () => false,
  );
  const variable = await readFile(join(folders.sys, SECURE_BOOT)).catch(() => null);
  return {
    bootMode: uefi ? 'uefi' : 'bios',
    secureBoot: variable === null ? null : parseSecureBoot(variable),
    cpuModel: parseCpuModel(await readFile(join(folders.proc, 'cpuinfo'), 'utf8')),
    memoryBytes: parseMemoryBytes(await readFile(join(folders.proc, 'meminfo'), 'utf8')),
  };
}

/** efivarfs puts four bytes of attributes before the value, which is one byte: 1 is on. */
export function parseSecureBoot(variable: Uint8Array): boolean | null {
  if (variable.length !== 5) return null;
  return variable[4] === 1;
}

export function parseCpuModel(cpuinfo: string): string {
  const name = /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.trim() ?? '';
  return name === '' ? 'unknown' : name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

export function parseMemoryBytes(meminfo: string): number {
  return Number(/^MemTotal:\s*(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
}

/** Milliseconds since the kernel started. */
export async function readUptimeMs(proc: string): Promise<number> {
  const text = await readFile(join(proc, 'uptime'), 'utf8');
  return Math.round(Number(text.split(' ')[0]) * 1000);
}
