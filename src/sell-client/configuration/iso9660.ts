/** ISO 9660 (ECMA-119) with Joliet and Rock Ridge names: label and one file of the root directory. */
import {
  type Extent,
  type FolderRecord,
  folderRecords,
  rootFolder,
  SECTOR_BYTES,
} from '../../shared/iso9660-records.ts';
import {
  type BlockReader,
  broken,
  checkFileSize,
  FILE_NAME,
  isFileName,
  type LabelledVolume,
  VOLUME_LABEL,
} from './block-reader.ts';

const MAX_DESCRIPTORS = 16;
const MAX_FOLDER_BYTES = 64 * SECTOR_BYTES;
/** ISO 9660 level 1 cuts names to 8.3 where the medium was made without Joliet and Rock Ridge. */
const LEVEL_1_NAME = FILE_NAME.slice(0, 'cpushare.jso'.length);

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
  return { format: 'ISO 9660', file: await reader.read(found.start, found.sizeBytes) };
}

/** ECMA-119 §8: one descriptor per sector from sector 16 to the terminator (type 255). */
async function readDescriptors(reader: BlockReader): Promise<Uint8Array[]> {
  const descriptors: Uint8Array[] = [];
  for (let index = 0; index < MAX_DESCRIPTORS; index += 1) {
    const descriptor = await reader.read((16 + index) * SECTOR_BYTES, SECTOR_BYTES);
    if (ascii(descriptor.subarray(1, 6)) !== 'CD001' || descriptor[0] === 255) break;
    descriptors.push(descriptor);
  }
  return descriptors;
}

async function findFile(
  reader: BlockReader,
  descriptor: Uint8Array,
  namesOf: (record: FolderRecord) => string[],
): Promise<Extent | null> {
  const root = rootFolder(descriptor);
  if (root.sizeBytes > MAX_FOLDER_BYTES) throw broken(`its root folder has ${root.sizeBytes} bytes`);
  for (const record of folderRecords(await reader.read(root.start, root.sizeBytes), broken)) {
    if (record.isFolder || !namesOf(record).some(isFileName)) continue;
    if (record.isContinued) throw broken(`${FILE_NAME} is spread over several extents`);
    return record.extent;
  }
  return null;
}

function primaryNames({ identifier, longName }: FolderRecord): string[] {
  const plain = ascii(identifier).replace(/;\d+$/, '').replace(/\.$/, '');
  return [plain.toLowerCase() === LEVEL_1_NAME ? FILE_NAME : plain, ascii(longName)];
}

function jolietNames({ identifier }: FolderRecord): string[] {
  return [new TextDecoder('utf-16be').decode(identifier).replace(/;\d+$/, '')];
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').trimEnd();
}
