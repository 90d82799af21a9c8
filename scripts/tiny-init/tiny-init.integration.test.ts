/** The made programs run here as they are: the kernel and readelf judge the file, strace and a namespace what it does. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasNamespaces, OWN_NAMESPACES, withoutNamespaces } from '../testing/namespaces.ts';
import { assemble, type Instruction } from './assembler.ts';
import { compile } from './program.ts';
import { keepServices, MAX_QUICK_ENDS, RESTART_STATUS, type Service, wipe } from './services.ts';
import { systemCall } from './system-calls.ts';
import { falseProgram } from './system-init.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-init-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function saved(program: Uint8Array, name = 'program'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, program, { mode: 0o755 });
  return path;
}

/** As PID 1 of a namespace of its own, in which a restart ends only that namespace. */
async function runAsPid1(program: Uint8Array) {
  const path = await saved(program);
  return await execa('unshare', [...OWN_NAMESPACES, path], { reject: false, timeout: 60_000 });
}

describe('the file', () => {
  it('is a static program without an executable stack', async () => {
    const { stdout } = await execa('readelf', ['--file-header', '--segments', '--wide', await saved(falseProgram())]);
    expect(stdout).toMatch(/Type:\s+EXEC/);
    expect(stdout).not.toContain('INTERP');
    expect(stdout).toMatch(/GNU_STACK\s.*RW\s/);
    expect(stdout).not.toContain('RWE');
  });

  it('is the same each time', () => {
    expect(falseProgram()).toEqual(falseProgram());
  });

  it('ends as it is told', async () => {
    expect(await execa(await saved(falseProgram()), { reject: false })).toMatchObject({ exitCode: 1 });
  });
});

describe('instructions', () => {
  /** The exit code shows what came out. */
  const exitWith = (...instructions: Instruction[]) => [
    ...instructions,
    { op: 'store', register: 'rax', variable: 'result' } as const,
    ...systemCall('exit', { kept: 'result' }),
  ];
  const cases: { name: string; program: Instruction[]; exitCode: number }[] = [
    { name: 'numbers', program: exitWith({ op: 'set', register: 'rax', to: 42 }), exitCode: 42 },
    {
      name: 'numbers below zero',
      program: exitWith({ op: 'set', register: 'rax', to: -7 }, { op: 'negate', register: 'rax' }),
      exitCode: 7,
    },
    {
      name: 'division and remainder',
      program: exitWith(
        { op: 'set', register: 'rax', to: 129 },
        { op: 'set', register: 'rcx', to: 100 },
        { op: 'set', register: 'rdx', to: 0 },
        { op: 'divideBy', register: 'rcx' },
        { op: 'store', register: 'rdx', variable: 'rest' },
        { op: 'load', register: 'rax', variable: 'rest' },
      ),
      exitCode: 29,
    },
    {
      name: 'a call and a loop',
      program: [
        { op: 'set', register: 'rax', to: 0 },
        { op: 'label', name: 'again' },
        { op: 'call', to: 'three more' },
        { op: 'compare', register: 'rax', value: 30 },
        { op: 'jumpIf', is: 'below', to: 'again' },
        ...exitWith(),
        { op: 'label', name: 'three more' },
        { op: 'add', register: 'rax', value: 3 },
        { op: 'return' },
      ],
      exitCode: 30,
    },
    {
      name: 'registers from r8 on',
      program: exitWith(
        { op: 'set', register: 'r10', to: 50 },
        { op: 'set', register: 'r8', to: -8 },
        { op: 'store', register: 'r10', variable: 'a' },
        { op: 'load', register: 'r9', variable: 'a' },
        { op: 'set', register: 'rax', to: 0 },
        { op: 'subtract', register: 'rax', other: 'r8' },
        { op: 'subtract', register: 'r9', other: 'rax' },
        { op: 'store', register: 'r9', variable: 'a' },
        { op: 'load', register: 'rax', variable: 'a' },
      ),
      exitCode: 42,
    },
  ];
  it.each(cases)('$name', async ({ program, exitCode }) => {
    expect(await execa(await saved(assemble(program)), { reject: false })).toMatchObject({ exitCode });
  });

  it('refuses a label that is missing or there twice', () => {
    expect(() => assemble([{ op: 'jump', to: 'nowhere' }])).toThrow('nowhere');
    expect(() =>
      assemble([
        { op: 'label', name: 'a' },
        { op: 'label', name: 'a' },
      ]),
    ).toThrow('two labels');
  });
});

describe('steps', () => {
  it('says which step the kernel refused, with its code and error number, and asks for a restart', async () => {
    const path = await saved(
      compile({
        nextStep: 'try again',
        steps: [
          { call: 'mkdir', with: [join(folder, 'made'), 0o755], orFail: { code: 'FIRST', detail: 'first' } },
          { call: 'mkdir', with: [join(folder, 'made'), 0o755], orFail: { code: 'TOLERATED', detail: '' }, unless: 17 },
          { call: 'mkdir', with: [join(folder, 'made'), 0o755] },
          { call: 'chdir', with: ['/no/such/place'], orFail: { code: 'THIRD', detail: 'third' } },
        ],
      }),
    );
    // strace stands in for the kernel where the program would sleep and restart this machine.
    const trace = join(folder, 'trace');
    const run = await execa(
      'strace',
      ['-o', trace, '-e', 'inject=nanosleep:retval=0', '-e', 'inject=reboot:retval=0', '-e', 'trace=all', path],
      { reject: false },
    );
    expect(run.stderr.trim()).toBe('cpushare: error=THIRD detail="third, error number 002" next="try again"');
    const calls = await readFile(trace, 'utf8');
    expect(calls).toMatch(/nanosleep\(\{tv_sec=20/);
    expect(calls).toMatch(/reboot\(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART/);
  });

  it.skipIf(!hasNamespaces)(`mounts with the flags and options it was given${withoutNamespaces}`, async () => {
    await mkdir(join(folder, 'place'));
    const place = join(folder, 'place');
    const { exitCode, stdout } = await runAsPid1(
      compile({
        nextStep: '',
        steps: [
          {
            call: 'mount',
            with: ['tmpfs', place, 'tmpfs', 2 | 4 | 8, 'mode=0711,size=64k'],
            orFail: { code: 'MOUNT', detail: place },
          },
          { call: 'open', with: ['/proc/self/mounts', 0, 0], keep: 'file' },
          { call: 'read', with: [{ kept: 'file' }, { variable: 'text' }, 0] },
          { call: 'execve', with: ['/bin/grep', { pointers: ['grep', place, '/proc/self/mounts'] }, { pointers: [] }] },
        ],
      }),
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^tmpfs \S+\/place tmpfs rw,nosuid,nodev,noexec,\S*size=64k,mode=711/m);
  });
});

describe.skipIf(!hasNamespaces)(`services${withoutNamespaces}`, () => {
  const log = () => join(folder, 'log');
  const service = (script: string): Service => ({
    program: '/bin/sh',
    arguments: ['sh', '-c', script],
    environment: ['PATH=/usr/bin:/bin', 'NAME=value'],
    input: '/dev/null',
    ownTerminal: false,
    orFail: { code: 'SERVICE_ENDED', detail: 'service' },
  });
  const program = (script: string, wipeFolders: readonly string[] = []) =>
    compile({
      nextStep: 'none',
      steps: [],
      afterwards: keepServices([service(script)]),
      wipe: wipe(wipeFolders),
    });
  /** 20 s on the screen are 20 s here too, so the sleep is cut out. */
  const withoutWait = (bytes: Uint8Array) => {
    const patched = Buffer.from(bytes);
    const twentySeconds = Buffer.alloc(16);
    twentySeconds.writeBigInt64LE(20n);
    const at = patched.indexOf(twentySeconds);
    expect(at).toBeGreaterThan(0);
    patched.fill(0, at, at + 16);
    return new Uint8Array(patched);
  };

  it('starts one again that ended, and gives up after so many quick ends in a row', async () => {
    const { stderr } = await runAsPid1(withoutWait(program(`echo $NAME >> ${log()}; exit 3`)));
    expect(stderr).toContain('error=SERVICE_ENDED detail="service, error number 000"');
    expect(await readFile(log(), 'utf8')).toBe('value\n'.repeat(MAX_QUICK_ENDS));
  });

  it('restarts at once when a service asks for it', async () => {
    const { stderr } = await runAsPid1(withoutWait(program(`echo once >> ${log()}; exit ${RESTART_STATUS}`)));
    expect(stderr).toBe('');
    expect(await readFile(log(), 'utf8')).toBe('once\n');
  });

  it('takes in orphans: none is left as a zombie', async () => {
    const script = `(sleep 0.2 &); sleep 1; cat /proc/[0-9]*/status | grep -c '^State:.*Z' > ${log()}; exit ${RESTART_STATUS}`;
    await runAsPid1(withoutWait(program(script)));
    expect(await readFile(log(), 'utf8')).toBe('0\n');
  });

  it('a service that cannot be started counts as ended', async () => {
    const bytes = compile({
      nextStep: 'none',
      steps: [],
      afterwards: keepServices([{ ...service(''), program: '/no/such/program' }]),
    });
    expect((await runAsPid1(withoutWait(bytes))).stderr).toContain('SERVICE_ENDED');
  });
});
