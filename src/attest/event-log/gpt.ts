/** UEFI_GPT_DATA (PFP 1.06 §10.2.7): the partition table of the disk that was booted from. UEFI 2.10 §5.3. */
import { LogError, littleEndianReader } from './little-endian.ts';
import { readGuid, utf16 } from './text.ts';

export interface Gpt {
  readonly revision: number;
  readonly headerBytes: number;
  readonly headerCrc32: number;
  /** Blocks are numbered from 0 (LBA). */
  readonly ownBlock: bigint;
  readonly backupBlock: bigint;
  readonly firstUsableBlock: bigint;
  readonly lastUsableBlock: bigint;
  readonly diskGuid: string;
  readonly entriesBlock: bigint;
  readonly entriesInTable: number;
  readonly entryBytes: number;
  readonly entriesCrc32: number;
  /** Those in use, which alone are measured. */
  readonly partitions: readonly GptPartition[];
}

export interface GptPartition {
  readonly typeGuid: string;
  readonly guid: string;
  readonly firstBlock: bigint;
  /** Inclusive. */
  readonly lastBlock: bigint;
  readonly attributes: bigint;
  readonly name: string;
}

const ENTRY_BYTES = 128;
const NAME_BYTES = 72;

/** @throws LogError */
export function readGpt(data: Uint8Array): Gpt {
  const reader = littleEndianReader(data);
  if (reader.u64('GPT signature') !== 0x5452_4150_2049_4645n) {
    throw new LogError('LOG_EVENT_BAD', 'a partition table that does not begin with "EFI PART"');
  }
  const revision = reader.u32('GPT revision');
  const headerBytes = reader.u32('GPT header size');
  const headerCrc32 = reader.u32('GPT header CRC');
  reader.u32('GPT reserved');
  const ownBlock = reader.u64('GPT own block');
  const backupBlock = reader.u64('GPT backup block');
  const firstUsableBlock = reader.u64('GPT first usable block');
  const lastUsableBlock = reader.u64('GPT last usable block');
  const diskGuid = readGuid(reader);
  const entriesBlock = reader.u64('GPT entries block');
  const entriesInTable = reader.u32('GPT number of entries');
  const entryBytes = reader.u32('GPT entry size');
  const entriesCrc32 = reader.u32('GPT entries CRC');
  const count = reader.u64('GPT measured entries');
  if (entryBytes < ENTRY_BYTES || count * BigInt(entryBytes) !== BigInt(reader.left)) {
    throw new LogError(
      'LOG_EVENT_BAD',
      `a partition table with ${count} entries of ${entryBytes} bytes in ${reader.left}`,
    );
  }
  const partitions = Array.from({ length: Number(count) }, () => readPartition(reader.bytes(entryBytes, 'GPT entry')));
  return {
    revision,
    headerBytes,
    headerCrc32,
    ownBlock,
    backupBlock,
    firstUsableBlock,
    lastUsableBlock,
    diskGuid,
    entriesBlock,
    entriesInTable,
    entryBytes,
    entriesCrc32,
    partitions,
  };
}

function readPartition(entry: Uint8Array): GptPartition {
  const reader = littleEndianReader(entry);
  return {
    typeGuid: readGuid(reader),
    guid: readGuid(reader),
    firstBlock: reader.u64('first block'),
    lastBlock: reader.u64('last block'),
    attributes: reader.u64('attributes'),
    name: utf16(reader.bytes(NAME_BYTES, 'name')).replace(/\0.*$/s, ''),
  };
}
