/** What `image write --configuration` changes on a disk beside the ISO: the partition table, and a volume behind the ISO. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { fatVolume, SECTOR_BYTES, VOLUME_BYTES } from './fat-volume.ts';
import { addPartition, HEAD_SECTORS } from './gpt.ts';
import type { Change } from './write-input.ts';

const NAME = 'CPUSHARE';
const ALIGN_BYTES = 2 ** 20;
/** A table of 248 entries, as our ISOs have it, and its header. */
const BACKUP_BYTES = 63 * SECTOR_BYTES;

const volumeOffset = (isoBytes: number) => Math.ceil(isoBytes / ALIGN_BYTES) * ALIGN_BYTES;

/** The smallest disk that holds ISO, volume and backup table. */
export function bytesWithConfiguration(isoBytes: number): number {
  return volumeOffset(isoBytes) + VOLUME_BYTES + BACKUP_BYTES;
}

export interface PartitionInput {
  readonly iso: string;
  readonly isoBytes: number;
  readonly diskBytes: number;
  readonly configuration: Uint8Array;
}

/** In the order of their offsets. The same input gives the same bytes. @throws GptError, VolumeError */
export async function configurationPartition(input: PartitionInput): Promise<Change[]> {
  const volume = fatVolume(input.configuration);
  const offset = volumeOffset(input.isoBytes);
  const diskSectors = Math.floor(input.diskBytes / SECTOR_BYTES);
  const { head, backup } = addPartition(await readHead(input.iso), diskSectors, {
    firstSector: offset / SECTOR_BYTES,
    sectors: volume.length / SECTOR_BYTES,
    name: NAME,
    id: partitionId(volume),
  });
  return [
    { offset: 0, bytes: head },
    { offset, bytes: volume },
    { offset: diskSectors * SECTOR_BYTES - backup.length, bytes: backup },
  ];
}

async function readHead(iso: string): Promise<Uint8Array> {
  const file = await open(iso, 'r');
  try {
    const bytes = Buffer.alloc(HEAD_SECTORS * SECTOR_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** RFC 9562 version 8 (bits 48–51) and variant, over what the partition holds, as a GUID's bytes stand in the table. */
function partitionId(volume: Uint8Array): Uint8Array {
  const id = createHash('sha256').update(volume).digest().subarray(0, 16);
  id.writeUInt8(0x80 | (id.readUInt8(7) & 0x0f), 7);
  id.writeUInt8(0x80 | (id.readUInt8(8) & 0x3f), 8);
  return id;
}
