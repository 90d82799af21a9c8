import { expect, it } from 'vitest';
import { parseCpuModel, parseMemoryBytes, parseSecureBoot } from './platform.ts';

it.each([
  { name: 'on', bytes: [6, 0, 0, 0, 1], value: true },
  { name: 'off', bytes: [6, 0, 0, 0, 0], value: false },
  { name: 'cut short', bytes: [6, 0, 0, 0], value: null },
])('reads the SecureBoot variable: $name', ({ bytes, value }) =>
  expect(parseSecureBoot(Uint8Array.from(bytes))).toBe(value),
);

it('reads memory in bytes', () => {
  const meminfo = 'MemTotal:         997564 kB\nMemFree:          500000 kB\n';
  expect(parseMemoryBytes(meminfo)).toBe(997564 * 1024);
});

it('names the processor in printable characters, or says it does not know', () => {
  expect(parseCpuModel('processor\t: 0\nmodel name\t: Intel(R) N100\u0001\n')).toBe('Intel(R) N100?');
  expect(parseCpuModel('processor\t: 0\n')).toBe('unknown');
});
