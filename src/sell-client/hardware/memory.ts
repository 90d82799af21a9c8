/** What of the machine's memory is in use, from /proc/meminfo (proc_meminfo(5)). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface MemoryUse {
  /** What programs and the kernel cannot give back: the total less what is available. */
  readonly usedBytes: number;
  /** The parts that are known; the rest is what the kernel keeps free for itself and what its drivers took. */
  readonly parts: {
    /** The compressed root, and what was written over it. */
    readonly image: number;
    /** Memory of processes that no file backs. */
    readonly programs: number;
    readonly kernel: number;
  };
}

export async function readMemoryUse(proc: string): Promise<MemoryUse> {
  return parseMemoryUse(await readFile(join(proc, 'meminfo'), 'utf8'));
}

export function parseMemoryUse(meminfo: string): MemoryUse {
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  return {
    usedBytes: bytes('MemTotal') - bytes('MemAvailable'),
    parts: {
      image: bytes('Shmem'),
      programs: bytes('AnonPages'),
      // Stacks of the kernel and its modules are in VmallocUsed.
      kernel: bytes('SUnreclaim') + bytes('VmallocUsed') + bytes('PageTables') + bytes('Percpu'),
    },
  };
}
