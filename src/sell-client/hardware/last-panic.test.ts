import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findLastPanic, takeLastPanic } from './last-panic.ts';

const RELEASE = '6.12.117+deb13-amd64';
/** Linux 6.12 in QEMU, a crash asked for by SysRq. */
const STARTED = `Panic#1 Part2
<6>[   40.532074] sysrq: Trigger a crash
<0>[   40.533903] Kernel panic - not syncing: sysrq triggered crash
<4>[   40.534615] CPU: 0 UID: 0 PID: 133 Comm: busybox Not tainted ${RELEASE} #1  Debian 6.12.117-1
`;
const ENDED = `Panic#1 Part1
<4>[   40.536109] Call Trace:
<4>[   40.536854]  <TASK>
<4>[   40.538034]  panic+0x118/0x2db
<0>[   40.592945] Kernel Offset: 0x24a00000 from 0xffffffff81000000
`;
const AT_SECONDS = 1_795_312_800;
const nameOf = (part: number, dump: number, seconds = AT_SECONDS) =>
  `dmesg-efi_pstore-${(seconds * 100 + part) * 1000 + dump}`;
const records = (...texts: string[]) =>
  texts.map((text, index) => ({ name: nameOf(index, 1), atSeconds: AT_SECONDS, text }));

describe('the record of a panic', () => {
  it('names its reason, in whatever order the parts are listed', () => {
    for (const parts of [records(ENDED, STARTED), records(STARTED, ENDED)]) {
      const found = findLastPanic(parts, RELEASE);
      expect(found?.reason).toBe('sysrq triggered crash');
      expect([...(found?.records ?? [])].sort()).toEqual([nameOf(0, 1), nameOf(1, 1)]);
    }
  });

  it.each([
    ['BUG: kernel NULL pointer dereference, address: 00000008', 'Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI'],
    ['Oops: general protection fault, probably for address 0xdead0000: 0000 [#1]', 'NMI watchdog: Enabled.'],
    ['kernel BUG at mm/slub.c:4321!', 'CR2: 0000000000000000'],
  ])('names the fault where the panic only says that there was one: %s', (fault, more) => {
    const oops = `Oops#1 Part1\n<1>[ 9.1] ${fault}\n<4>[ 9.1] ${more}\n<4>[ 9.1] Not tainted ${RELEASE} #1\n`;
    const panic = 'Panic#2 Part1\n<0>[ 9.2] Kernel panic - not syncing: Fatal exception\n';
    expect(findLastPanic(records(panic, oops), RELEASE)?.reason).toBe(`Fatal exception (${fault})`);
  });

  it.each([
    ['nothing', []],
    ['another kernel', [STARTED.replace(RELEASE, '6.18.3-arch1')]],
    ['a release that only begins as ours', [STARTED.replace(RELEASE, `${RELEASE}-custom`)]],
    ['no panic', [`Oops#1 Part1\n<4>[1.0] Comm: x Not tainted ${RELEASE} #1\n`]],
    ['no header', [STARTED.slice(1)]],
  ])('is none: %s', (_, texts) => {
    expect(findLastPanic(records(...texts), RELEASE)).toBeNull();
  });

  it('cannot move the cursor or fill the screen', () => {
    const hostile = STARTED.replace('sysrq triggered crash', `\x1b[2J\x9b${'A'.repeat(5000)}`);
    const reason = findLastPanic(records(hostile), RELEASE)?.reason ?? '';
    expect(reason).toMatch(/^\?\[2J\?A+\.\.\.$/);
    expect(reason).toHaveLength(120);
  });
});

describe('where it waited', () => {
  /** Each file as old as its name says, else of AT_SECONDS. */
  const pstore = async (files: Readonly<Record<string, string>>) => {
    const folder = await mkdtemp(join(tmpdir(), 'pstore-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text);
      const [, id] = /^dmesg-efi_pstore-(\d+)$/.exec(name) ?? [];
      const atSeconds = id === undefined ? AT_SECONDS : Math.floor(Number(id) / 100_000);
      await utimes(join(folder, name), atSeconds, atSeconds);
    }
    return folder;
  };

  it('is read once and erased; what is not a part of it stays', async () => {
    const others = {
      'console-ramoops-0': STARTED,
      'dmesg-ramoops-1.enc.z': STARTED,
      [nameOf(7, 1)]: 'no header',
      [nameOf(8, 1)]: 'x'.repeat(70_000),
      // Another system's, of a minute before and a minute after.
      [nameOf(1, 1, AT_SECONDS - 60)]: STARTED.replace(RELEASE, '6.18.3-arch1'),
      [nameOf(1, 1, AT_SECONDS + 60)]: STARTED.replace(RELEASE, '6.18.3-arch1'),
    };
    const folder = await pstore({ ...others, [nameOf(1, 1)]: ENDED, [nameOf(2, 1)]: STARTED });
    expect((await takeLastPanic(folder, RELEASE))?.reason).toBe('sysrq triggered crash');
    expect((await readdir(folder)).sort()).toEqual(Object.keys(others).sort());
    expect(await takeLastPanic(folder, RELEASE)).toBeNull();
  });

  it('of two panics that nobody was told of, the last is told and both are erased', async () => {
    const first = STARTED.replace('sysrq triggered crash', 'an older one');
    const folder = await pstore({ [nameOf(2, 1, AT_SECONDS - 3600)]: first, [nameOf(2, 1)]: STARTED });
    expect((await takeLastPanic(folder, RELEASE))?.reason).toBe('sysrq triggered crash');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['ramoops', 'erst'])('is as well what %s kept, in one part and by a number of its own', async (backend) => {
    const whole = `Panic#1 Part1\n${STARTED.slice(STARTED.indexOf('\n') + 1)}${ENDED.slice(ENDED.indexOf('\n') + 1)}`;
    const folder = await pstore({ [`dmesg-${backend}-0`]: whole });
    expect((await takeLastPanic(folder, RELEASE))?.reason).toBe('sysrq triggered crash');
    expect(await readdir(folder)).toEqual([]);
  });

  it('of more than it reads, it reads the newest', async () => {
    const others = Array.from({ length: 70 }, (_, index) => [nameOf(1, 1, AT_SECONDS - 60 * (index + 1)), ENDED]);
    const folder = await pstore({ 'dmesg-ramoops-0': STARTED, ...Object.fromEntries(others) });
    expect((await takeLastPanic(folder, RELEASE))?.reason).toBe('sysrq triggered crash');
    expect(await readdir(folder)).toHaveLength(70);
  });

  it("another system's stays for that system", async () => {
    const folder = await pstore({ [nameOf(1, 1)]: STARTED.replace(RELEASE, '6.18.3-arch1') });
    expect(await takeLastPanic(folder, RELEASE)).toBeNull();
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('is none where there is no such file system, or where one thing in it cannot be read', async () => {
    expect(await takeLastPanic('/nowhere/pstore', RELEASE)).toBeNull();
    const folder = await pstore({ [nameOf(1, 1)]: STARTED });
    await mkdir(join(folder, nameOf(3, 1)));
    await chmod(join(folder, nameOf(3, 1)), 0o000);
    expect((await takeLastPanic(folder, RELEASE))?.reason).toBe('sysrq triggered crash');
  });
});
