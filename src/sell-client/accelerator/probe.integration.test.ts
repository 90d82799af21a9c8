import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { PROBE_TIMEOUTS_MS, probeAccelerators } from './probe.ts';

const present = await execa('qemu-system-x86_64', ['--version'], { reject: false });
const options = {
  qemu: 'qemu-system-x86_64',
  temporaryFolder: tmpdir(),
  timeoutMs: PROBE_TIMEOUTS_MS,
  signal: new AbortController().signal,
};

it.skipIf(present.failed)(
  'finds an accelerator that really ran a guest, and says why kqemu was passed over',
  async () => {
    const result = await probeAccelerators(options);
    expect(result.tried.map((attempt) => attempt.name)[0]).toBe('kvm');
    expect(['kvm', 'tcg']).toContain(result.name);
    expect(result.tried.at(-1)).toEqual({ name: result.name, ran: true, reason: 'ran a test guest' });
    if (result.name === 'tcg') expect(result.reason).toContain('kqemu is not offered by this QEMU');
  },
);

it('says unknown, with the reason, where there is no QEMU', async () => {
  const result = await probeAccelerators({ ...options, qemu: '/nonexistent/qemu' });
  expect(result.name).toBe('unknown');
  expect(result.tried.every((attempt) => !attempt.ran)).toBe(true);
});
