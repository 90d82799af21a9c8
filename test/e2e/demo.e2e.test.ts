/** `npm start` without its set-up: the files it leaves, the command it prints, and what stays running afterwards. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { childrenOf, isAlive } from '../../scripts/testing/processes.ts';
import { BOOT_TIMEOUT_MS, testTools } from './support.ts';

const cpushare = join(projectRoot, 'bin/cpushare.js');

describe('cpushare demo', () => {
  it('--keep: accepted, re-checked by the printed command, and nothing left after Ctrl-C', async () => {
    await testTools(); // builds, so that the wait below is for the boot alone
    const demo = execa(process.execPath, [cpushare, 'demo', '--keep'], { cwd: projectRoot, reject: false, all: true });
    onTestFinished(() => void demo.kill('SIGTERM'));
    let printed = '';
    demo.all.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const ended = demo.then(() => undefined);
    await waitFor(() => (printed.includes('Ctrl-C ends both.') || demo.exitCode !== null ? true : undefined), {
      what: 'the demo to finish',
      timeoutMs: 2 * BOOT_TIMEOUT_MS,
    });
    expect(printed).toMatch(/^ACCEPTED$/m);
    expect(printed).toMatch(/Time from power-on to attested: [\d.]+ s/);

    const command = /^ {2}npx cpushare (attest verify .*)$/m.exec(printed)?.[1] ?? '';
    const again = await execa(process.execPath, [cpushare, ...command.split(' ')], { cwd: projectRoot, reject: false });
    expect(again).toMatchObject({ exitCode: 0 });

    const children = await childrenOf(demo.pid ?? 0);
    expect(children.length).toBeGreaterThanOrEqual(3); // broker, swtpm, QEMU
    demo.kill('SIGINT');
    await ended;
    expect(demo.exitCode).toBe(0);
    await waitFor(() => (children.some(isAlive) ? undefined : true), {
      what: `the processes ${children.join(', ')} to be gone`,
      timeoutMs: 10_000,
    });
  });

  it.each([
    { missing: 'swtpm', present: ['qemu-system-x86_64'], nextStep: 'sudo apt install swtpm swtpm-tools' },
    {
      missing: 'qemu-system-x86_64',
      present: ['swtpm', 'swtpm_setup', 'swtpm_localca'],
      nextStep: 'sudo apt install qemu-system-x86',
    },
  ])('without $missing: one message, the next step, exit 2', async ({ missing, present, nextStep }) => {
    await testTools();
    const bin = await mkdtemp(join(tmpdir(), 'cpushare-path-'));
    onTestFinished(() => rm(bin, { recursive: true, force: true }));
    for (const program of present) {
      const { stdout } = await execa('bash', ['-c', `command -v ${program}`]);
      await symlink(stdout, join(bin, program));
    }
    const { exitCode, stderr } = await execa(process.execPath, [cpushare, 'demo'], {
      cwd: projectRoot,
      env: { PATH: bin },
      reject: false,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`cannot start ${missing}`);
    expect(stderr).toContain(`Next step: ${nextStep}`);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
