/** The program that makes the call, run here: where no VMware answers, its one instruction is a fault. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { vmwareBackdoor } from '../../../scripts/vmware-backdoor.ts';
import { configurationInGuestinfo, type GuestinfoPlaces } from './guestinfo.ts';

let folder: string;
let places: GuestinfoPlaces;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guestinfo-'));
  places = { systemVendor: join(folder, 'sys_vendor'), backdoor: join(folder, 'backdoor') };
});
beforeEach(async () => {
  await writeFile(places.systemVendor, 'VMware, Inc.\n');
  await install(vmwareBackdoor());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function install(program: Uint8Array | string): Promise<void> {
  await rm(places.backdoor, { force: true });
  await writeFile(places.backdoor, program);
  await chmod(places.backdoor, 0o755);
}

const here = await readFile('/sys/class/dmi/id/sys_vendor', 'latin1').catch(() => '');
const frame = (...registers: number[]) => {
  const bytes = Buffer.alloc(20);
  for (const [index, value] of registers.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
};
const run = (input: Buffer) => execa(places.backdoor, { input, encoding: 'buffer', reject: false });

describe('the program with its call left out', () => {
  it('sets command and port itself and hands every other register through, call after call', async () => {
    await install(vmwareBackdoor({ call: [0x90] }));
    const given = [1, 0xffffffff, 0xdeadbeef, 0x12345678, 0x9abcdef0] as const;
    const { stdout, exitCode } = await run(Buffer.concat([frame(...given), frame(7, 0, 0, 8, 9)]));
    expect(exitCode).toBe(0);
    const expected = [frame(1, 0xffff001e, 0xdead5658, 0x12345678, 0x9abcdef0), frame(7, 0x1e, 0x5658, 8, 9)];
    expect(Buffer.from(stdout)).toEqual(Buffer.concat(expected));
  });

  it('has the magic number in eax when it calls', async () => {
    await install(vmwareBackdoor({ call: [0x89, 0xc3] })); // mov ebx, eax
    expect(Buffer.from((await run(frame(0, 0, 0, 0, 0))).stdout).readUInt32LE(0)).toBe(0x564d5868);
  });

  it('ends when its input does, in the middle of a call as well', async () => {
    await install(vmwareBackdoor({ call: [0x90] }));
    expect(await run(Buffer.alloc(0))).toMatchObject({ exitCode: 0 });
    expect(await run(Buffer.alloc(7))).toMatchObject({ exitCode: 0 });
  });
});

describe('asking for guestinfo', () => {
  it.skipIf(here.startsWith('VMware'))(
    'finds none where the instruction faults: nothing hangs, nothing is thrown',
    async () => {
      expect(await run(frame(0, 0, 0, 0, 0))).toMatchObject({ signal: 'SIGSEGV' });
      expect(await configurationInGuestinfo(places)).toBeNull();
    },
  );

  it('is not done in a machine of another maker, or without the program', async () => {
    await install('#!/bin/sh\ntouch "$0.ran"\n');
    await writeFile(places.systemVendor, 'QEMU\n');
    expect(await configurationInGuestinfo(places)).toBeNull();
    await rm(places.systemVendor);
    expect(await configurationInGuestinfo(places)).toBeNull();
    await expect(readFile(`${places.backdoor}.ran`)).rejects.toThrow('ENOENT');
    await writeFile(places.systemVendor, 'VMware, Inc.\n');
    await rm(places.backdoor);
    expect(await configurationInGuestinfo(places)).toBeNull();
  });

  it('holds the whole conversation through pipes, with a hypervisor of our own behind them', async () => {
    const json = `{"broker":"https://b:1","note":"${'x'.repeat(3000)}"}`;
    const host = join(import.meta.dirname, '../testing/rpci-host.ts');
    const reply = `1 ${Buffer.from(json).toString('base64url')}`;
    const script = join(folder, 'host.test-program.mts');
    await writeFile(
      script,
      `import { rpciHost } from ${JSON.stringify(host)};
       const host = rpciHost(() => Buffer.from(${JSON.stringify(reply)}));
       let held = Buffer.alloc(0);
       process.stdin.on('data', (chunk) => {
         held = Buffer.concat([held, chunk]);
         for (; held.length >= 20; held = held.subarray(20)) {
           const [ebx, ecx, edx, esi, edi] = [0, 4, 8, 12, 16].map((at) => held.readUInt32LE(at));
           const answer = host.answer({ ebx, ecx, edx, esi, edi });
           const frame = Buffer.alloc(20);
           for (const [index, name] of ['ebx', 'ecx', 'edx', 'esi', 'edi'].entries()) {
             frame.writeUInt32LE(answer[name] >>> 0, 4 * index);
           }
           process.stdout.write(frame);
         }
       });`,
    );
    const bundle = join(folder, 'host.mjs');
    const esbuild = await import('esbuild');
    await esbuild.build({ entryPoints: [script], bundle: true, platform: 'node', format: 'esm', outfile: bundle });
    await install(`#!/bin/sh\nexec ${process.execPath} ${bundle}\n`);
    expect(Buffer.from((await configurationInGuestinfo(places)) ?? []).toString()).toBe(json);
  });
});
