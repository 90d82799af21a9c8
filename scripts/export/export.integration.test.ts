/** Exports of a small ISO, judged by GNU tar, sha256sum, xmllint, qemu-img and sgdisk. Nobody imports them here. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fatVolume } from '../stick/fat-volume.ts';
import { unpackLocked } from '../testing/locked-packages.ts';
import { SMALL_ISO_EPOCH, smallIso } from '../testing/small-iso.ts';
import { type IsoFacts, readIsoFacts } from './iso-content.ts';
import { writeOva } from './ova.ts';
import { streamOptimizedVmdk } from './vmdk.ts';
import { writeVmx } from './vmx.ts';

const configuration = new TextEncoder().encode('{"broker":"https://b:1"}\n');
let folder: string;
let iso: IsoFacts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-export-'));
  iso = await readIsoFacts(await smallIso(await unpackLocked(['grub-pc-bin'], folder), folder));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Options = Partial<Pick<Parameters<typeof writeOva>[0], 'configuration' | 'networkCard'>>;

async function ova(name: string, options: Options = {}): Promise<string> {
  const output = join(folder, `${name}.ova`);
  await writeOva({ iso, name: 'seller & co', networkCard: 'e1000', configuration: undefined, ...options, output });
  return output;
}

async function unpacked(name: string, options: Options = {}) {
  const at = join(folder, `${name}-unpacked`);
  await mkdir(at);
  await execa('tar', ['-xf', await ova(name, options), '-C', at]);
  return { at, ovf: join(at, 'seller & co.ovf'), disk: join(at, 'seller & co-disk1.vmdk') };
}

async function raw(disk: string): Promise<Buffer> {
  const output = `${disk}.raw`;
  await execa('qemu-img', ['convert', '-O', 'raw', disk, output]);
  return readFile(output);
}

const xpath = async (file: string, expression: string) =>
  (await execa('xmllint', ['--xpath', expression, file])).stdout;

describe('an .ova', () => {
  it('is the same each time', async () => {
    const [one, two] = [await ova('one'), await ova('two')];
    expect((await readFile(one)).equals(await readFile(two))).toBe(true);
  });

  it('holds description, manifest and disk, in that order, with nothing of the host', async () => {
    const { stdout } = await execa('tar', ['--utc', '--full-time', '-tvf', await ova('listed')]);
    const date = new Date(SMALL_ISO_EPOCH * 1000).toISOString().slice(0, 19).replace('T', ' ');
    const rows = stdout.split('\n').map((row) => row.replace(/ +\d+ (?=\d{4}-)/, ' '));
    expect(rows).toEqual(
      ['seller & co.ovf', 'seller & co.mf', 'seller & co-disk1.vmdk'].map((name) => `-rw-r--r-- 0/0 ${date} ${name}`),
    );
  });

  it('has a manifest that sha256sum finds true', async () => {
    const { at } = await unpacked('manifest');
    const manifest = await readFile(join(at, 'seller & co.mf'), 'utf8');
    const input = manifest.replace(/^SHA256\((.*)\)= ([0-9a-f]{64})$/gm, '$2  $1');
    expect(input.trim().split('\n')).toHaveLength(2);
    await execa('sha256sum', ['--check', '--strict'], { cwd: at, input });
  });

  it('has the ISO as its disk, byte for byte', async () => {
    const { disk } = await unpacked('disk');
    const { stdout } = await execa('qemu-img', ['info', '--output', 'json', disk]);
    const info = JSON.parse(stdout) as {
      'virtual-size': number;
      'format-specific': { data: { 'create-type': string } };
    };
    expect(info['format-specific'].data['create-type']).toBe('streamOptimized');
    expect(info['virtual-size'] % 2 ** 20).toBe(0);
    await execa('qemu-img', ['check', disk]);
    const bytes = await raw(disk);
    expect(bytes.subarray(0, iso.sizeBytes).equals(await readFile(iso.path))).toBe(true);
    expect(bytes.subarray(iso.sizeBytes).every((byte) => byte === 0)).toBe(true);
  });

  it('has a configuration as a partition behind the ISO', async () => {
    const { disk } = await unpacked('configured', { configuration });
    await raw(disk);
    const { stdout } = await execa('sgdisk', ['--verify', '--print', `${disk}.raw`], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    expect(stdout).toContain('No problems found.');
    expect(stdout).toMatch(/CPUSHARE$/m);
  });

  it('is described by well-formed XML whose parts refer to each other', async () => {
    const { ovf, disk } = await unpacked('described');
    await execa('xmllint', ['--noout', ovf]);
    expect(await xpath(ovf, 'string(//*[local-name()="File"]/@*[local-name()="href"])')).toBe('seller & co-disk1.vmdk');
    expect(await xpath(ovf, 'string(//*[local-name()="File"]/@*[local-name()="size"])')).toBe(
      String((await stat(disk)).size),
    );
    const uuid = await xpath(ovf, 'string(//*[local-name()="Disk"]/@*[local-name()="uuid"])');
    expect(await xpath(ovf, 'string(//*[local-name()="AttachedDevice"]/*/@uuid)')).toBe(`{${uuid}}`);
    expect((await readFile(disk)).subarray(0, 4096).toString('latin1')).toContain(`ddb.uuid.image = "${uuid}"`);
    // DSP0243: elements of an Item in alphabetical order, each Item's number once, each parent there.
    const text = await readFile(ovf, 'utf8');
    const items = [...text.matchAll(/<Item[^>]*>(.*?)<\/Item>/gs)].map(([, body = '']) =>
      Object.fromEntries([...body.matchAll(/<rasd:(\w+)>([^<]*)</g)].map(([, name, value]) => [name, value])),
    );
    for (const one of items) expect(Object.keys(one)).toEqual(Object.keys(one).sort());
    const numbers = items.map((one) => one.InstanceID);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(items.flatMap((one) => one.Parent ?? []).every((parent) => numbers.includes(parent))).toBe(true);
    expect(items.map((one) => Number(one.ResourceType)).sort((a, b) => a - b)).toEqual([1, 3, 4, 10, 17, 20]);
  });

  it.each([
    { networkCard: 'e1000', vmware: 'E1000', virtualBox: '82540EM' },
    { networkCard: 'paravirtual', vmware: 'VmxNet3', virtualBox: 'virtio' },
  ] as const)('asks for UEFI, TPM, nested virtualization and the card: $networkCard', async (one) => {
    const { ovf } = await unpacked(`card-${one.networkCard}`, { networkCard: one.networkCard });
    const text = await readFile(ovf, 'utf8');
    expect(text).toContain(`<rasd:ResourceSubType>${one.vmware}<`);
    expect(text).toContain(`type="${one.virtualBox}"`);
    for (const wanted of [
      'vmw:key="firmware" vmw:value="efi"',
      'vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="true"',
      'vmw:key="nestedHVEnabled" vmw:value="true"',
      '<rasd:ResourceSubType>vmware.vtpm<',
      '<Firmware type="EFI"/>',
      '<TrustedPlatformModule type="v2_0"',
      '<NestedHWVirt enabled="true"/>',
    ]) {
      expect(text).toContain(wanted);
    }
  });

  it('is not left behind half-written', async () => {
    const output = join(folder, 'broken.ova');
    const gone = { ...iso, path: join(folder, 'gone.iso') };
    const attempt = writeOva({ iso: gone, name: 'x', networkCard: 'e1000', configuration: undefined, output });
    await expect(attempt).rejects.toThrow('ENOENT');
    expect((await readdir(folder)).filter((name) => name.startsWith('broken'))).toEqual([]);
  });

  it('is not made of what is no ISO', async () => {
    const noise = join(folder, 'noise');
    await writeFile(noise, randomBytes(100_000));
    await expect(readIsoFacts(noise)).rejects.toMatchObject({ code: 'EXPORT_NO_ISO' });
    await expect(readIsoFacts(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'EXPORT_NO_ISO' });
  });
});

describe('a stream-optimized VMDK', () => {
  const GRAIN = 65_536;
  /** Over one table of 512 grains; all but a few grains are zeros, so whole tables are left out as well. */
  it.each([
    { name: 'one byte', capacity: GRAIN, at: [5] },
    {
      name: 'grains in the first and the last of four tables',
      capacity: 4 * 512 * GRAIN,
      at: [0, 1535 * GRAIN + 9, 2047 * GRAIN],
    },
    { name: 'nothing at all', capacity: 3 * GRAIN, at: [] },
  ])('gives back $name to qemu-img', async ({ capacity, at }) => {
    const bytes = Buffer.alloc(capacity);
    for (const place of at) bytes.fill(0xa5, place, place + 1);
    const disk = join(folder, 'sparse.vmdk');
    const pieces = async function* () {
      for (let from = 0; from < bytes.length; from += 1_000_003) yield bytes.subarray(from, from + 1_000_003);
    };
    const parts: Uint8Array[] = [];
    const vmdk = streamOptimizedVmdk({ content: pieces(), capacityBytes: capacity, id: new Uint8Array(16).fill(3) });
    for await (const part of vmdk) parts.push(part);
    await writeFile(disk, Buffer.concat(parts));
    expect((await raw(disk)).equals(bytes)).toBe(true);
  });
});

describe('a .vmx folder', () => {
  const write = (output: string, options: Options = {}) =>
    writeVmx({ iso, name: 'seller', networkCard: 'e1000', configuration: undefined, ...options, output });

  it('holds the ISO as it is, and settings for UEFI, TPM, nested virtualization and a card', async () => {
    const output = join(folder, 'vmx');
    await write(output, { networkCard: 'paravirtual' });
    expect((await readdir(output)).sort()).toEqual(['seller.iso', 'seller.vmx']);
    expect((await readFile(join(output, 'seller.iso'))).equals(await readFile(iso.path))).toBe(true);
    const settings = await settingsOf(join(output, 'seller.vmx'));
    expect(settings).toMatchObject({
      firmware: 'efi',
      'uefi.secureBoot.enabled': 'TRUE',
      'vhv.enable': 'TRUE',
      'managedvm.autoAddVTPM': 'software',
      'sata0:0.deviceType': 'cdrom-image',
      'sata0:0.fileName': 'seller.iso',
      'ethernet0.virtualDev': 'vmxnet3',
    });
    expect(Object.keys(settings).some((key) => key.startsWith('sata0:1'))).toBe(false);
  });

  it('carries a configuration on a disk of its own, which qemu-img reads', async () => {
    const output = join(folder, 'vmx-configured');
    await write(output, { configuration });
    const settings = await settingsOf(join(output, 'seller.vmx'));
    const disk = join(output, settings['sata0:1.fileName'] ?? '');
    expect((await raw(disk)).equals(Buffer.from(fatVolume(configuration)))).toBe(true);
  });

  it('is the same each time, and never written over one that is there', async () => {
    const [one, two] = [join(folder, 'vmx-one'), join(folder, 'vmx-two')];
    await write(one, { configuration });
    await write(two, { configuration });
    for (const name of await readdir(one)) {
      expect((await readFile(join(one, name))).equals(await readFile(join(two, name))), name).toBe(true);
    }
    await expect(write(one)).rejects.toMatchObject({ code: 'EXPORT_EXISTS' });
  });
});

async function settingsOf(file: string): Promise<Record<string, string>> {
  const rows = (await readFile(file, 'utf8')).trim().split('\n');
  const pairs = rows.map((row) => /^([^ ]+) = "([^"]*)"$/.exec(row));
  expect(pairs.every((pair) => pair !== null)).toBe(true);
  const settings = pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''] as const);
  expect(new Set(settings.map(([key]) => key.toLowerCase())).size).toBe(settings.length);
  return Object.fromEntries(settings);
}
