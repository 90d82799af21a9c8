import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ConfigurationPlaces,
  configurationSource,
  IMAGE_SOURCE,
  lookForConfiguration,
  SMBIOS_SOURCE,
  useConfiguration,
} from './load-configuration.ts';

const file = JSON.stringify({ broker: 'https://b:1', brokerPin: 'ab'.repeat(32) });
let folder: string;
let places: ConfigurationPlaces;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-sources-'));
  places = {
    blockClass: join(folder, 'block'),
    dev: join(folder, 'dev'),
    smbiosTable: join(folder, 'DMI'),
    systemVendor: join(folder, 'sys_vendor'),
    backdoor: join(folder, 'backdoor'),
    imageConfiguration: join(folder, 'image.json'),
    copy: join(folder, 'run/cpushare.json'),
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const look = (drivesSettled = true) =>
  lookForConfiguration(places, { seen: new Set(), drivesSettled, guestinfo: { asked: false } });
const found = async (drivesSettled?: boolean) => {
  const raw = await look(drivesSettled);
  return raw === null ? null : { source: raw.source, text: Buffer.from(raw.bytes).toString() };
};

async function smbios(value: string): Promise<void> {
  const strings = Buffer.from(`cpushare:${Buffer.from(value).toString('base64url')}\0\0`);
  await writeFile(places.smbiosTable, Buffer.concat([Buffer.from([11, 5, 0, 1, 1]), strings]));
}

/** An ISO 9660 volume by hand: label, and a root directory without the file (ECMA-119 §8.4, §9.1). */
async function volumeWithoutFile(): Promise<void> {
  await mkdir(join(places.blockClass, 'sr0'), { recursive: true });
  await writeFile(join(places.blockClass, 'sr0/size'), '80\n');
  const image = Buffer.alloc(20 * 2048);
  image.write('\u0001CD001\u0001', 16 * 2048, 'latin1');
  image.write('CPUSHARE'.padEnd(32), 16 * 2048 + 40, 'latin1');
  image.writeUInt32LE(19, 16 * 2048 + 156 + 2);
  image.writeUInt32LE(2048, 16 * 2048 + 156 + 10);
  await mkdir(places.dev, { recursive: true });
  await writeFile(join(places.dev, 'sr0'), image);
}

describe('the sources of the configuration, in order', () => {
  it('what an operator built into his own image serves last, when no drive and no hypervisor says anything', async () => {
    await writeFile(places.imageConfiguration, file);
    expect(await found(false)).toBeNull();
    expect(await found(true)).toEqual({ source: IMAGE_SOURCE, text: file });
    const other = file.replace('https://b:1', 'https://c:1');
    await smbios(other);
    expect(await found(true)).toEqual({ source: SMBIOS_SOURCE, text: other });
  });

  it('SMBIOS serves when there is no volume, and only when no more drives are to be expected', async () => {
    await smbios(file);
    expect(await found(false)).toBeNull();
    expect(await found(true)).toEqual({ source: SMBIOS_SOURCE, text: file });
  });

  it('a volume comes first, even one that is wrong: nothing else is taken in its place', async () => {
    await smbios(file);
    await volumeWithoutFile();
    await expect(look()).rejects.toMatchObject({ code: 'CONFIGURATION_FILE_MISSING' });
  });

  it('nothing anywhere is no error', async () => {
    expect(await found()).toBeNull();
  });

  it('what was taken stays for this boot, with its source, whatever is plugged in later', async () => {
    await smbios(file);
    const raw = await look();
    if (raw === null) throw new Error('nothing found');
    await useConfiguration(raw, places.copy, null);
    await volumeWithoutFile();
    const again = await look();
    expect(again && configurationSource(again)).toBe('smbios');
    expect(await found()).toEqual({ source: SMBIOS_SOURCE, text: file });
  });

  it('a wrong one is kept and measured before it is judged, and the complaint names the source', async () => {
    await smbios('{"broker": 1}');
    const raw = await look();
    if (raw === null) throw new Error('nothing found');
    const extended: Uint8Array[] = [];
    const zeros = new Uint8Array(32);
    const bank = {
      read: async () => zeros,
      extend: async (_: number, digest: Uint8Array) => {
        extended.push(digest);
      },
    };
    // The register does not move in this bank, so measuring itself complains: it comes before reading.
    await expect(useConfiguration(raw, places.copy, bank)).rejects.toMatchObject({ code: 'CONFIGURATION_PCR_TAKEN' });
    expect(extended).toHaveLength(1);
    await expect(useConfiguration(raw, places.copy, null)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(SMBIOS_SOURCE),
    });
    expect(await readFile(places.copy, 'utf8')).toBe('{"broker": 1}');
  });
});
