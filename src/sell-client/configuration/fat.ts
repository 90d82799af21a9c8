/** FAT12, FAT16 and FAT32 (Microsoft "FAT: General Overview of On-Disk Format" 1.03): label and one file of the root directory. */
import {
  type BlockReader,
  broken,
  checkFileSize,
  isFileName,
  type LabelledVolume,
  VOLUME_LABEL,
  view,
} from './block-reader.ts';

interface Geometry {
  readonly bits: 12 | 16 | 32;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly fatOffset: number;
  readonly dataOffset: number;
  /** FAT12/16: a fixed area; FAT32: a cluster chain. */
  readonly root: { readonly offset: number; readonly bytes: number } | { readonly cluster: number };
  readonly bootSectorLabel: string;
}

const ENTRY_BYTES = 32;
const MAX_DIRECTORY_BYTES = 4096 * ENTRY_BYTES;

/** `null`: not a FAT volume, or another label. @throws VolumeError */
export async function readFat(reader: BlockReader): Promise<LabelledVolume | null> {
  const geometry = parseBootSector(await reader.read(0, 512));
  if (geometry === null) return null;
  // A FAT volume of another label is none of our business, so its damage is not reported.
  const rootBytes = await rootDirectory(reader, geometry).catch((error) => {
    if (geometry.bootSectorLabel === VOLUME_LABEL) throw error;
    return null;
  });
  if (rootBytes === null) return null;
  const root = listDirectory(rootBytes);
  if ((root.label ?? geometry.bootSectorLabel) !== VOLUME_LABEL) return null;
  const entry = root.files.find((file) => isFileName(file.name));
  if (entry === undefined) return { format: 'FAT', file: null };
  checkFileSize(entry.sizeBytes);
  if (entry.sizeBytes === 0) return { format: 'FAT', file: new Uint8Array(0) };
  const content = await readChain(reader, geometry, entry.cluster, entry.sizeBytes);
  if (content.length < entry.sizeBytes) throw broken('the file is cut short');
  return { format: 'FAT', file: content.subarray(0, entry.sizeBytes) };
}

function parseBootSector(sector: Uint8Array): Geometry | null {
  const fields = view(sector);
  const u16 = (at: number) => fields.getUint16(at, true);
  const u32 = (at: number) => fields.getUint32(at, true);
  const sectorBytes = u16(11);
  const sectorsPerCluster = fields.getUint8(13);
  const reserved = u16(14);
  const fats = fields.getUint8(16);
  const rootEntries = u16(17);
  const total = u16(19) || u32(32);
  const fatSectors = u16(22) || u32(36);
  const plausible =
    u16(510) === 0xaa55 &&
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    [1, 2, 4, 8, 16, 32, 64, 128].includes(sectorsPerCluster) &&
    reserved > 0 &&
    (fats === 1 || fats === 2) &&
    fatSectors > 0;
  if (!plausible) return null;
  const rootSectors = Math.ceil((rootEntries * ENTRY_BYTES) / sectorBytes);
  const dataSector = reserved + fats * fatSectors + rootSectors;
  const clusters = Math.floor((total - dataSector) / sectorsPerCluster);
  if (clusters < 1) return null;
  const bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
  const labelAt = bits === 32 ? 71 : 43;
  return {
    bits,
    clusters,
    clusterBytes: sectorsPerCluster * sectorBytes,
    fatOffset: reserved * sectorBytes,
    dataOffset: dataSector * sectorBytes,
    root:
      bits === 32
        ? { cluster: u32(44) }
        : { offset: (reserved + fats * fatSectors) * sectorBytes, bytes: rootEntries * ENTRY_BYTES },
    bootSectorLabel: fields.getUint8(labelAt - 5) === 0x29 ? text(sector.subarray(labelAt, labelAt + 11)) : '',
  };
}

function rootDirectory(reader: BlockReader, geometry: Geometry): Promise<Uint8Array> {
  if ('cluster' in geometry.root) return readChain(reader, geometry, geometry.root.cluster, MAX_DIRECTORY_BYTES);
  return reader.read(geometry.root.offset, Math.min(geometry.root.bytes, MAX_DIRECTORY_BYTES));
}

/** Reads clusters until the chain ends or `enough` bytes are there, so a looping chain ends too. */
async function readChain(reader: BlockReader, geometry: Geometry, first: number, enough: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let cluster = first; size < enough; ) {
    if (cluster < 2 || cluster >= geometry.clusters + 2) throw broken(`cluster ${cluster} does not exist`);
    const part = await reader.read(geometry.dataOffset + (cluster - 2) * geometry.clusterBytes, geometry.clusterBytes);
    parts.push(part);
    size += part.length;
    if (size >= enough) break;
    cluster = await nextCluster(reader, geometry, cluster);
    if (cluster >= (geometry.bits === 12 ? 0xff8 : geometry.bits === 16 ? 0xfff8 : 0x0ffffff8)) break;
  }
  return Buffer.concat(parts);
}

async function nextCluster(reader: BlockReader, geometry: Geometry, cluster: number): Promise<number> {
  if (geometry.bits === 32) {
    return view(await reader.read(geometry.fatOffset + cluster * 4, 4)).getUint32(0, true) & 0x0fffffff;
  }
  if (geometry.bits === 16) return view(await reader.read(geometry.fatOffset + cluster * 2, 2)).getUint16(0, true);
  const pair = view(await reader.read(geometry.fatOffset + Math.floor(cluster * 1.5), 2)).getUint16(0, true);
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
}

interface Listing {
  readonly label: string | undefined;
  readonly files: readonly { readonly name: string; readonly cluster: number; readonly sizeBytes: number }[];
}

function listDirectory(bytes: Uint8Array): Listing {
  const files: { name: string; cluster: number; sizeBytes: number }[] = [];
  let label: string | undefined;
  let long = '';
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const entry = bytes.subarray(at, at + ENTRY_BYTES);
    const fields = view(entry);
    const [first, attributes] = [fields.getUint8(0), fields.getUint8(11)];
    if (first === 0) break;
    if (first === 0xe5) {
      long = '';
    } else if ((attributes & 0x3f) === 0x0f) {
      // Pieces of a long name stand before the entry, the last piece (bit 0x40) first.
      long = (first & 0x40) !== 0 ? longPiece(entry) : longPiece(entry) + long;
    } else {
      if ((attributes & 0x08) !== 0) label ??= text(entry.subarray(0, 11));
      else if ((attributes & 0x10) === 0) {
        const cluster = (fields.getUint16(20, true) << 16) | fields.getUint16(26, true);
        files.push({ name: long || shortName(entry), cluster, sizeBytes: fields.getUint32(28, true) });
      }
      long = '';
    }
  }
  return { label, files };
}

/** 13 UTF-16 units in three runs; NUL ends the name, 0xffff fills the rest. */
function longPiece(entry: Uint8Array): string {
  const fields = view(entry);
  let piece = '';
  for (const at of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]) {
    const unit = fields.getUint16(at, true);
    if (unit === 0 || unit === 0xffff) break;
    piece += String.fromCharCode(unit);
  }
  return piece;
}

function shortName(entry: Uint8Array): string {
  const extension = text(entry.subarray(8, 11));
  return text(entry.subarray(0, 8)) + (extension === '' ? '' : `.${extension}`);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').trimEnd();
}
