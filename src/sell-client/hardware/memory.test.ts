import { expect, it } from 'vitest';
import { parseMemoryUse } from './memory.ts';

it('tells what is in use and by whom', () => {
  const meminfo = `MemTotal:         983000 kB
MemFree:          500000 kB
MemAvailable:     700000 kB
AnonPages:         60000 kB
Shmem:             42000 kB
Slab:              30000 kB
SReclaimable:      10000 kB
SUnreclaim:        20000 kB
KernelStack:        2000 kB
PageTables:         1000 kB
VmallocTotal:   34359738367 kB
VmallocUsed:        9000 kB
Percpu:              500 kB
`;
  expect(parseMemoryUse(meminfo)).toEqual({
    usedBytes: 283_000 * 1024,
    parts: { image: 42_000 * 1024, programs: 60_000 * 1024, kernel: 30_500 * 1024 },
  });
});
