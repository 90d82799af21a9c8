/** scripts/setup.sh on a host that lacks things: one clear message, the command that helps, nothing half done. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
let bin: string;

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'cpushare-path-'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));

/** A PATH that holds only these programs of the host: no apt-get, no sudo, so nothing can be installed. */
async function hostWith(programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const { stdout } = await execa('bash', ['-c', `command -v ${program}`]);
    await symlink(stdout, join(bin, program));
  }
}

const setup = (purpose: string) =>
  execa('/bin/bash', [join(root, 'scripts/setup.sh'), purpose], {
    env: { PATH: bin },
    extendEnv: false,
    reject: false,
  });

const basics = ['bash', 'dirname', 'id', 'node', 'npm'];

describe('set-up names what is missing', () => {
  it('no QEMU, no swtpm', async () => {
    await hostWith(basics);
    const { exitCode, stderr, stdout } = await setup('start');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/host packages are missing .*qemu-system-x86 .*swtpm swtpm-tools/);
    expect(stderr).toMatch(/Next step: sudo apt install .*qemu-system-x86/);
    expect(stdout).toBe('');
  });

  it('no Node.js', async () => {
    await hostWith(['bash', 'dirname']);
    const { exitCode, stderr } = await setup('check');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('Node.js is missing.\nNext step: sudo apt install nodejs npm');
  });

  it('a Node.js that is too old', async () => {
    await hostWith(['bash', 'dirname']);
    await writeFile(join(bin, 'node'), '#!/bin/bash\n[ "$1" = --version ] && echo v18.20.4 && exit 0\nexit 1\n', {
      mode: 0o755,
    });
    const { exitCode, stderr } = await setup('check');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Node.js v18.20.4 is too old: cpushare needs 20.19 or newer.');
  });
});
