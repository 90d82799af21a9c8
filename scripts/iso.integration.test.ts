import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packEsp } from './esp.ts';
import { GRUB_CONFIG_PATH, hybridMbrIn, packBiosGrub, readGrubTemplate, renderGrubConfig } from './grub.ts';
import { packIso, VOLUME_ID } from './iso.ts';
import { projectRoot } from './project.ts';
import { type LockedPackages, unpackLocked } from './testing/locked-packages.ts';

const sourceDateEpoch = 1700000000;
let folder: string;
let locked: LockedPackages;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-iso-'));
  locked = await unpackLocked(['shim-signed', 'grub-efi-amd64-signed', 'grub-pc-bin'], folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the hybrid image', () => {
  it('is the same from another folder, with other dates, modes and umask', async () => {
    const first = await build('a', { umask: 0o022, mode: 0o644, date: new Date('2020-01-01T00:00:00Z') });
    const second = await build('b = other, folder', {
      umask: 0o077,
      mode: 0o755,
      date: new Date('2026-07-01T12:34:57Z'),
    });
    for (const part of ['bios.img', 'esp.img', 'image.iso']) {
      const [one, two] = await Promise.all([first, second].map((at) => readFile(join(at, part))));
      expect(two?.equals(one ?? Buffer.alloc(0)), part).toBe(true);
    }
  });

  it('has a BIOS and a UEFI boot entry for CDs, and an MBR and an ESP for sticks', async () => {
    const iso = join(await build('report'), 'image.iso');
    const reports = ['-report_el_torito', 'plain', '-report_system_area', 'plain', '-pvd_info'];
    const { stdout } = await locked.tools.run('xorriso', ['-no_rc', '-indev', iso, ...reports]);
    const rows = stdout.split('\n').map((row) => row.trim().replace(/\s+/g, ' '));
    expect(rows.filter((row) => row.startsWith('El Torito boot img :'))).toEqual([
      expect.stringMatching(/^El Torito boot img : 1 BIOS y none 0x0000 0x00 4 \d+$/),
      expect.stringMatching(/^El Torito boot img : 2 UEFI y none 0x0000 0x00 \d+ \d+$/),
    ]);
    expect(rows).toContain('System area summary: MBR protective-msdos-label grub2-mbr cyl-align-off GPT');
    expect(rows).toContain('GPT type GUID : 2 28732ac11ff8d211ba4b00a0c93ec93b'); // EFI system partition
    expect(rows).toContain(`Volume Id : ${VOLUME_ID}`);
    expect(rows).toContain('Modif. Time : 2023111422132000');
  });

  it('carries one grub.cfg, byte for byte, on the volume and in the ESP', async () => {
    const at = await build('config');
    const onVolume = join(at, 'volume.cfg');
    await locked.tools.run('xorriso', [
      ...['-no_rc', '-osirrox', 'on', '-indev', join(at, 'image.iso'), '-extract', GRUB_CONFIG_PATH, onVolume],
    ]);
    const inEsp = join(at, 'esp.cfg');
    await locked.tools.run('mcopy', ['-i', join(at, 'esp.img'), `::${GRUB_CONFIG_PATH}`, inEsp]);
    const expected = await readFile(join(at, 'grub.cfg'));
    expect(await readFile(onVolume)).toEqual(expected);
    expect(await readFile(inEsp)).toEqual(expected);
  });

  it('says nothing of the host or of the tools', async () => {
    const iso = await readFile(join(await build('silent'), 'image.iso'));
    for (const word of ['XORRISO', 'xorriso', folder]) expect(iso.includes(word), word).toBe(false);
  });

  it('is not left behind half-written when a part is missing', async () => {
    const at = await build('broken');
    const output = join(at, 'second.iso');
    const esp = join(at, 'esp.img');
    await rm(esp);
    const attempt = packIso({ ...partsIn(at), esp, output, sourceDateEpoch }, locked.tools);
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'TOOL_FAILED' }) as Error);
    await expect(readFile(output)).rejects.toThrow('ENOENT');
    await expect(readFile(`${output}.part`)).rejects.toThrow('ENOENT');
  });
});

const grubModules = () => join(locked.folderOf('grub-pc-bin'), 'usr/lib/grub/i386-pc');

function partsIn(at: string) {
  return {
    kernel: join(at, 'vmlinuz'),
    initrd: join(at, 'initrd.img'),
    grubConfig: join(at, 'grub.cfg'),
    biosImage: join(at, 'bios.img'),
    hybridMbr: hybridMbrIn(grubModules()),
  };
}

const usual = { umask: 0o022, mode: 0o644, date: new Date('2024-01-01T00:00:00Z') };

/** The whole medium with the real boot loaders; kernel and initrd are only carried, so any bytes serve. */
async function build(name: string, { umask, mode, date } = usual): Promise<string> {
  const before = process.umask(umask);
  try {
    const at = join(folder, name);
    await mkdir(at);
    const parts = partsIn(at);
    const template = await readGrubTemplate(join(projectRoot, 'image'));
    await writeFile(parts.grubConfig, renderGrubConfig({ template, parameters: ['quiet'], sourceDateEpoch }));
    await writeFile(parts.kernel, Buffer.alloc(1_000_000, 'kernel'));
    await writeFile(parts.initrd, Buffer.alloc(2_000_003, 'initrd'));
    for (const file of [parts.grubConfig, parts.kernel, parts.initrd]) {
      await chmod(file, mode);
      await utimes(file, date, date);
    }
    await packBiosGrub({ moduleFolder: grubModules(), sourceDateEpoch, output: parts.biosImage }, locked.tools);
    const shim = join(locked.folderOf('shim-signed'), 'usr/lib/shim/shimx64.efi.signed');
    const signed = 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed';
    const grub = join(locked.folderOf('grub-efi-amd64-signed'), signed);
    const esp = await packEsp({ shim, grub, grubConfig: parts.grubConfig, output: join(at, 'esp.img') }, locked.tools);
    await packIso({ ...parts, esp, output: join(at, 'image.iso'), sourceDateEpoch }, locked.tools);
    return at;
  } finally {
    process.umask(before);
  }
}
