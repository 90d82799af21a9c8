/** `image run` as a person runs it, with real QEMU and swtpm; the medium is empty, so that only firmware has to start. */
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../scripts/project.ts';
import { waitFor } from '../../../scripts/run/wait.ts';
import { childrenOf, isAlive } from '../../../scripts/testing/processes.ts';

const cpushare = join(projectRoot, 'bin/cpushare.js');
let folder: string;
let iso: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-run-test-'));
  iso = join(folder, 'empty.iso');
  await writeFile(iso, new Uint8Array(64 * 1024));
  return () => rm(folder, { recursive: true, force: true });
});

const headless = { DISPLAY: '', WAYLAND_DISPLAY: '' };

function start(...args: string[]) {
  const run = execa(process.execPath, [cpushare, 'image', 'run', '--iso', iso, '--accelerator', 'tcg', ...args], {
    env: headless,
    reject: false,
    all: true,
  });
  onTestFinished(() => void run.kill('SIGKILL'));
  let printed = '';
  run.all.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const until = (pattern: RegExp) =>
    waitFor(() => pattern.exec(printed) ?? (run.exitCode === null ? undefined : expect(printed).toMatch(pattern)), {
      what: `${pattern} to be printed`,
      timeoutMs: 120_000,
    });
  return { run, until };
}

describe('cpushare image run', () => {
  it('prints the serial port, keeps its TPM to itself, and leaves nothing running after Ctrl-C', async () => {
    const tpm = join(folder, 'tpm');
    const { run, until } = start('--shape', 'uefi-cd', '--tpm', tpm, '--display', 'serial');
    await until(/BdsDxe/);
    const children = await childrenOf(run.pid ?? 0);
    expect(children.length).toBeGreaterThanOrEqual(2); // swtpm, QEMU

    const second = await start('--tpm', tpm, '--display', 'none').run;
    expect(second.exitCode).toBe(2);
    expect(second.all).toContain('[TPM_IN_USE]');
    expect(second.all).toContain('--tpm FOLDER');

    run.kill('SIGINT');
    expect((await run).exitCode).toBe(0);
    await waitFor(() => (children.some(isAlive) ? undefined : true), {
      what: `the processes ${children.join(', ')} to be gone`,
      timeoutMs: 10_000,
    });
    await access(join(tpm, 'ca')); // its identity stays for the next run
  });

  it('says where to look when the screen is a VNC server, and opens it to this computer only', async () => {
    const { run, until } = start('--shape', 'bios-cd', '--tpm', 'none', '--display', 'vnc');
    const [, port] = (await until(/its screen is at vnc:\/\/127\.0\.0\.1:(\d+)/)) ?? [];
    expect(Number(port)).toBeGreaterThanOrEqual(5900);
    run.kill('SIGTERM');
    await run;
  });

  it('draws a BIOS machine on the terminal, where Ctrl-C ends it and gives the terminal back', async () => {
    const words = [process.execPath, cpushare, 'image', 'run', '--iso', iso, '--accelerator', 'tcg'];
    const line = [...words, '--shape', 'virtualbox', '--display', 'curses'].join(' ');
    // `script` gives it a terminal; what is written to its input is typed there.
    const run = execa('script', ['-qfec', line, '/dev/null'], { env: { ...headless, TERM: 'xterm' }, reject: false });
    onTestFinished(() => void run.kill('SIGKILL'));
    let drawn = '';
    run.stdout.on('data', (chunk: Buffer) => {
      drawn += chunk.toString();
    });
    await waitFor(() => (/No bootable device/.test(drawn) ? true : undefined), {
      what: 'the BIOS to say that the CD is empty',
      timeoutMs: 120_000,
    });
    run.stdin.write('\x03');
    expect((await run).exitCode).toBe(0);
    expect(drawn).toContain('\x1b[?1049l'); // back from the alternate screen
  });

  it.each([
    {
      missing: 'qemu-system-x86_64',
      present: ['swtpm', 'swtpm_setup', 'swtpm_localca'],
      nextStep: 'sudo apt install qemu-system-x86',
    },
    { missing: 'swtpm_setup', present: ['qemu-system-x86_64'], nextStep: 'sudo apt install swtpm swtpm-tools' },
  ])('without $missing: one message and the package that brings it', async ({ missing, present, nextStep }) => {
    const bin = join(folder, `bin-${missing}`);
    await mkdir(bin);
    for (const program of present) {
      const { stdout } = await execa('bash', ['-c', `command -v ${program}`]);
      await symlink(stdout, join(bin, program));
    }
    const args = ['image', 'run', '--iso', iso, '--accelerator', 'tcg', '--tpm', join(folder, 'tpm-none')];
    const { exitCode, stderr } = await execa(process.execPath, [cpushare, ...args, '--display', 'none'], {
      env: { ...headless, PATH: bin },
      reject: false,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`cannot start ${missing}`);
    expect(stderr).toContain(`Next step: ${nextStep}`);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    { args: ['--shape', 'toaster'], code: 'SHAPE_UNKNOWN', says: 'uefi-cd' },
    { args: ['--iso', '/nowhere.iso'], code: 'ISO_MISSING', says: 'image build' },
    { args: ['--display', 'gtk'], code: 'DISPLAY_MISSING', says: 'WAYLAND_DISPLAY' },
  ])('$code: exit 2 and the next step', async ({ args, code, says }) => {
    const { exitCode, stderr } = await execa(process.execPath, [cpushare, 'image', 'run', '--iso', iso, ...args], {
      env: headless,
      reject: false,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toContain(says);
  });
});
