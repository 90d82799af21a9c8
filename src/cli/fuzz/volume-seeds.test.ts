import { expect, it } from 'vitest';
import { readFat } from '../../sell-client/configuration/fat.ts';
import { readIso9660 } from '../../sell-client/configuration/iso9660.ts';
import { deviceWith } from './targets-volumes.ts';
import { fatSeed, ISO_SYSTEM_AREA_BYTES, isoSeed } from './volume-seeds.ts';

it.each([
  { name: 'FAT12', read: () => readFat(deviceWith(fatSeed(12), 0)) },
  { name: 'FAT16', read: () => readFat(deviceWith(fatSeed(16), 0)) },
  { name: 'FAT32', read: () => readFat(deviceWith(fatSeed(32), 0)) },
  { name: 'Rock Ridge', read: () => readIso9660(deviceWith(isoSeed('Rock Ridge'), ISO_SYSTEM_AREA_BYTES)) },
  { name: 'Joliet', read: () => readIso9660(deviceWith(isoSeed('Joliet'), ISO_SYSTEM_AREA_BYTES)) },
])('$name: a volume to start from holds the whole file', async ({ read }) => {
  const file = Buffer.from((await read())?.file ?? []).toString();
  expect(file).toMatch(/^(\{"broker":"https:\/\/10\.0\.2\.2:42007"\}\n){20}$/);
});
