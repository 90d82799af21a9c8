/**
 * Against the recorded boot debian13-qemu-cd (shim 16.1, GRUB 2.12-9+deb13u2, Secure Boot on): what the firmware's TPM
 * measured there must follow from the same packages' files. When the lock moves on, the recording says nothing of it.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { computeReferenceValues } from './reference-values.ts';
import { type LockedPackages, unpackLocked } from './testing/locked-packages.ts';
import { peFile } from './testing/pe-file.ts';

const RECORDED = {
  'shim-signed': '1.51~1+deb13u1+16.1-2~deb13u1',
  'grub-efi-amd64-signed': '1+2.12+9+deb13u2',
};
const MEASURED = {
  shim: 'f4166948f7adafa71e45c7ca5d30d97f78f382ecf1e3c8e4767b1ec1770cd52f',
  grub: 'f5d167748a39cf23f3b87b8492e1b80a35b06bb3568f8d0a626af2b66f2bccbb',
  bootAction: '3d6772b4f84ed47595d72a2c4c5ffd15f5bb72c7507fe26f2aaee2c69d5633ba',
  separator: 'df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119',
  mok: [
    '342c88bb9fde2c45eeaa17321262b089181e7e841ef5a4a5e8ed240920026f97',
    '2801360e467582609990635ca6255516630c3cea75c47320128b36ae062bc7b3',
    '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a',
  ],
  pcr14: '1dd2c3c78e629ad7ecc3789c06f7b41feaf3cc9a6d5ee4256e41c64c89910f22',
};

let folder: string;
let locked: LockedPackages;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-reference-'));
  locked = await unpackLocked(Object.keys(RECORDED), folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function skipUnlessRecorded({ skip }: TestContext): void {
  for (const [name, version] of Object.entries(RECORDED)) {
    skip(locked.versionOf(name) !== version, `skipped: the lock has ${name} ${locked.versionOf(name)}`);
  }
}

it('gives the digests that the firmware measured for shim and GRUB', async (context) => {
  skipUnlessRecorded(context);
  const { events, components } = await compute(Buffer.alloc(8));
  expect(components.shim.authenticodeSha256).toBe(MEASURED.shim);
  expect(components.grub.authenticodeSha256).toBe(MEASURED.grub);
  const pcr4 = events.filter((event) => event.pcr === 4).map((event) => event.digest);
  expect(pcr4).toEqual([
    MEASURED.bootAction,
    MEASURED.separator,
    MEASURED.shim,
    MEASURED.grub,
    components.kernel.authenticodeSha256,
  ]);
});

it('gives register 14 from what lies in shim', async (context) => {
  skipUnlessRecorded(context);
  const { events, pcrs } = await compute(Buffer.alloc(8));
  expect(events.filter((event) => event.pcr === 14).map((event) => event.digest)).toEqual(MEASURED.mok);
  expect(pcrs.cd['14']).toBe(MEASURED.pcr14);
});

it('expects the same initrd from GRUB, which reads it, and from the EFI stub, which is handed it', async () => {
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const initrd = Buffer.from('seven b');
  const { events, components } = await compute(initrd);
  expect(components.initrd).toEqual({ sha256: sha256(initrd), sizeBytes: 7 });
  expect(events.filter((event) => event.component === 'initrd').map((event) => event.digest)).toEqual([
    sha256(initrd),
    sha256(initrd),
  ]);
});

it('puts what GRUB reads and runs in the order in which it is measured', async () => {
  const { events, grubCommands, kernelCommandLine, loadOptions } = await compute(Buffer.alloc(8));
  const components = (pcr: number) => events.filter((event) => event.pcr === pcr).map((event) => event.component);
  expect(grubCommands).toEqual(['linux /boot/vmlinuz quiet', 'initrd /boot/initrd.img', 'boot']);
  expect(kernelCommandLine).toBe('/boot/vmlinuz quiet');
  expect(loadOptions).toBe('BOOT_IMAGE=/boot/vmlinuz quiet');
  expect(components(8)).toEqual(['GRUB command', 'kernel command line', 'GRUB command', 'GRUB command']);
  expect(components(9)).toEqual(['grub.cfg', 'grub.cfg', 'kernel', 'initrd', 'kernel command line', 'initrd']);
});

/** The kernel is a small PE file of our own: its digest is as good as any here, and Debian's is 100 MB to unpack. */
async function compute(initrd: Buffer) {
  const write = async (name: string, content: string | Buffer) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  return await computeReferenceValues({
    image: { name: 'test', version: '0.0.1' },
    lockSha256: '00'.repeat(32),
    iso: await write('image.iso', 'iso'),
    shim: join(locked.folderOf('shim-signed'), 'usr/lib/shim/shimx64.efi.signed'),
    grub: join(locked.folderOf('grub-efi-amd64-signed'), 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
    kernel: await write('vmlinuz', peFile([{ name: '.text', content: Buffer.from('kernel') }])),
    grubConfig: await write('grub.cfg', 'linux /boot/vmlinuz quiet\ninitrd /boot/initrd.img\nboot\nreboot\n'),
    initrd: await write('initrd.img', initrd),
    kernelModules: [],
  });
}
