/** A small ISO 9660 volume with Rock Ridge names, made by hand: what the tests damage on purpose. */
const SECTOR = 2048;
const ROOT_SECTOR = 18;

/** @param files by absolute path, at most one folder deep; all records of a folder fit into one sector */
export function isoFile(files: Readonly<Record<string, Buffer>>): Buffer {
  const folders = [...new Set(Object.keys(files).map((path) => path.slice(0, path.lastIndexOf('/'))))].filter(Boolean);
  const sectorOf = new Map(folders.map((folder, index) => [folder, ROOT_SECTOR + 1 + index]));
  const data: Buffer[] = [];
  let next = ROOT_SECTOR + 1 + folders.length;
  const records = new Map<string, Buffer[]>([['', []], ...folders.map((folder): [string, Buffer[]] => [folder, []])]);
  for (const folder of folders) {
    records.get('')?.push(record(folder.slice(1), sectorOf.get(folder) ?? 0, SECTOR, true));
  }
  for (const [path, content] of Object.entries(files)) {
    const slash = path.lastIndexOf('/');
    records.get(path.slice(0, slash))?.push(record(path.slice(slash + 1), next, content.length, false));
    data.push(padded(content));
    next += Math.ceil(content.length / SECTOR);
  }
  const primary = Buffer.alloc(SECTOR);
  primary.write('\x01CD001\x01', 0, 'latin1');
  record('\0', ROOT_SECTOR, SECTOR, true).copy(primary, 156, 0, 34);
  const end = Buffer.alloc(SECTOR);
  end.write('\xffCD001\x01', 0, 'latin1');
  const own = (sector: number) => [record('\0', sector, SECTOR, true), record('\x01', ROOT_SECTOR, SECTOR, true)];
  return Buffer.concat([
    Buffer.alloc(16 * SECTOR),
    ...[primary, end],
    padded(Buffer.concat([...own(ROOT_SECTOR), ...(records.get('') ?? [])])),
    ...folders.map((folder) =>
      padded(Buffer.concat([...own(sectorOf.get(folder) ?? 0), ...(records.get(folder) ?? [])])),
    ),
    ...data,
  ]);
}

const padded = (content: Buffer) => Buffer.concat([content], Math.ceil(content.length / SECTOR) * SECTOR);

/** ECMA-119 §9.1 with one NM entry, but for the two records that name a folder itself and its parent. */
function record(name: string, sector: number, sizeBytes: number, isFolder: boolean): Buffer {
  const isDot = name.length === 1 && name < '\x02';
  const identifier = Buffer.from(
    isDot
      ? name
      : `${name
          .toUpperCase()
          .replace(/[^A-Z0-9]/g, '_')
          .slice(0, 8)}`,
    'latin1',
  );
  const padding = identifier.length % 2 === 0 ? 1 : 0;
  const alias = isDot
    ? Buffer.alloc(0)
    : Buffer.concat([Buffer.from([0x4e, 0x4d, 5 + name.length, 1, 0]), Buffer.from(name)]);
  const length = 33 + identifier.length + padding + alias.length;
  const bytes = Buffer.alloc(length + (length % 2));
  bytes[0] = bytes.length;
  bytes.writeUInt32LE(sector, 2);
  bytes.writeUInt32BE(sector, 6);
  bytes.writeUInt32LE(sizeBytes, 10);
  bytes.writeUInt32BE(sizeBytes, 14);
  bytes[25] = isFolder ? 2 : 0;
  bytes[32] = identifier.length;
  identifier.copy(bytes, 33);
  alias.copy(bytes, 33 + identifier.length + padding);
  return bytes;
}
