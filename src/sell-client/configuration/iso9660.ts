/** ISO 9660 (ECMA-119) with Joliet and Rock Ridge names: label and one file of the root directory. */
import {
  type BlockReader,
  broken,
  checkFileSize,
  FILE_NAME,
  isFileName,
  type LabelledVolume,
  VOLUME_LABEL,
  view,
} from './block-reader.ts';

const SECTOR = 2048;
const MAX_DESCRIPTORS = 16;
const MAX_DIRECTORY_BYTES = 64 * SECTOR;
/** ISO 9660 level 1 cuts names to 8.3 where the medium was made without Joliet and Rock Ridge. */
const LEVEL_1_NAME = FILE_NAME.slice(0, 'cpushare.jso'.length);

interface Extent {
  readonly sector: number;
  readonly sizeBytes: number;
}

/** `null`: not ISO 9660, or another label. @throws VolumeError */
export async function readIso9660(reader: BlockReader): Promise<LabelledVolume | null> {
  const descriptors = await readDescriptors(reader);
  const primary = descriptors.find((descriptor) => descriptor[0] === 1);
  if (primary === undefined || ascii(primary.subarray(40, 72)) !== VOLUME_LABEL) return null;
  const joliet = descriptors.find(
    (descriptor) => descriptor[0] === 2 && /^%\/[@CE]$/.test(ascii(descriptor.subarray(88, 91))),
  );
  const found =
    (await findFile(reader, primary, primaryNames)) ??
    (joliet === undefined ? null : await findFile(reader, joliet, jolietNames));
  if (found === null) return { format: 'ISO 9660', file: null };
  checkFileSize(found.sizeBytes);
  return { format: 'ISO 9660', file: await reader.read(found.sector * SECTOR, found.sizeBytes) };
}

/** ECMA-119 §8: one descriptor per sector from sector 16 to the terminator (type 255). */
async function readDescriptors(reader: BlockReader): Promise<Uint8Array[]> {
  const descriptors: Uint8Array[] = [];
  for (let index = 0; index < MAX_DESCRIPTORS; index += 1) {
    const descriptor = await reader.read((16 + index) * SECTOR, SECTOR);
    if (ascii(descriptor.subarray(1, 6)) !== 'CD001' || descriptor[0] === 255) break;
    descriptors.push(descriptor);
  }
  return descriptors;
}

async function findFile(
  reader: BlockReader,
  descriptor: Uint8Array,
  namesOf: (record: Uint8Array) => string[],
): Promise<Extent | null> {
  const root = extent(descriptor.subarray(156, 190));
  if (root.sizeBytes > MAX_DIRECTORY_BYTES) throw broken(`its root directory has ${root.sizeBytes} bytes`);
  const directory = await reader.read(root.sector * SECTOR, root.sizeBytes);
  for (let at = 0; at < directory.length; ) {
    const length = directory[at] ?? 0;
    if (length === 0) {
      // §6.8.1.1: records do not cross sectors; the rest of this one is zero.
      at = (Math.floor(at / SECTOR) + 1) * SECTOR;
      continue;
    }
    if (length < 34 || at + length > directory.length) throw broken(`a directory record of ${length} bytes`);
    const record = directory.subarray(at, at + length);
    const isDirectory = ((record[25] ?? 0) & 2) !== 0;
    if (!isDirectory && namesOf(record).some(isFileName)) return extent(record);
    at += length;
  }
  return null;
}

/** §9.1: both-endian numbers, of which the little-endian half is read. */
function extent(record: Uint8Array): Extent {
  const fields = view(record);
  return { sector: fields.getUint32(2, true), sizeBytes: fields.getUint32(10, true) };
}

function primaryNames(record: Uint8Array): string[] {
  const plain = ascii(identifier(record)).replace(/;\d+$/, '').replace(/\.$/, '');
  return [plain.toLowerCase() === LEVEL_1_NAME ? FILE_NAME : plain, rockRidgeName(record)];
}

function jolietNames(record: Uint8Array): string[] {
  return [new TextDecoder('utf-16be').decode(identifier(record)).replace(/;\d+$/, '')];
}

function identifier(record: Uint8Array): Uint8Array {
  return record.subarray(33, 33 + (record[32] ?? 0));
}

/** IEEE P1282 §4.1.4: the NM entries in the record's system use area. */
function rockRidgeName(record: Uint8Array): string {
  const nameBytes = record[32] ?? 0;
  let name = '';
  for (let at = 33 + nameBytes + (nameBytes % 2 === 0 ? 1 : 0); at + 4 <= record.length; ) {
    const length = record[at + 2] ?? 0;
    if (length < 4 || at + length > record.length) break;
    if (ascii(record.subarray(at, at + 2)) === 'NM') name += ascii(record.subarray(at + 5, at + length));
    at += length;
  }
  return name;
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').trimEnd();
}
