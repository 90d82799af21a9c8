/** A small library laid out as Debian's libicudata is: one symbol `icudt76_dat`, whose bytes are a common data package. */

const SECTION_BYTES = 64;

export function icuLibrary(items: Readonly<Record<string, Uint8Array>>): Buffer {
  const data = icuPackage(items);
  const names = Buffer.from('\0icudt76_dat\0');
  const symbols = Buffer.alloc(48);
  const [dataAt, namesAt] = [64, 64 + data.length];
  const symbolsAt = namesAt + names.length;
  symbols.writeUInt32LE(1, 24); // name
  symbols.writeUInt16LE(1, 30); // section
  symbols.writeBigUInt64LE(BigInt(0x2000), 32);
  symbols.writeBigUInt64LE(BigInt(data.length), 40);
  const sections = [
    section({ type: 0, address: 0, offset: 0, sizeBytes: 0, link: 0 }),
    section({ type: 1, address: 0x2000, offset: dataAt, sizeBytes: data.length, link: 0 }),
    section({ type: 11, address: 0, offset: symbolsAt, sizeBytes: symbols.length, link: 3 }),
    section({ type: 3, address: 0, offset: namesAt, sizeBytes: names.length, link: 0 }),
  ];
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeBigUInt64LE(BigInt(symbolsAt + symbols.length), 40);
  header.writeUInt16LE(sections.length, 60);
  return Buffer.concat([header, data, names, symbols, ...sections]);
}

interface Section {
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
}

function section(one: Section): Buffer {
  const bytes = Buffer.alloc(SECTION_BYTES);
  bytes.writeUInt32LE(one.type, 4);
  bytes.writeBigUInt64LE(BigInt(one.address), 16);
  bytes.writeBigUInt64LE(BigInt(one.offset), 24);
  bytes.writeBigUInt64LE(BigInt(one.sizeBytes), 32);
  bytes.writeUInt32LE(one.link, 40);
  return bytes;
}

/** ICU's common data format, source/common/ucmndata.h: header, then a table of name and data offsets from its own start. */
function icuPackage(items: Readonly<Record<string, Uint8Array>>): Buffer {
  const header = Buffer.alloc(32);
  header.writeUInt16LE(32, 0);
  header.set([0xda, 0x27], 2);
  header.write('CmnD', 12, 'latin1');
  const entries = Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = entries.map(([name]) => Buffer.from(`icudt76l/${name}\0`));
  const table = Buffer.alloc(4 + 8 * entries.length);
  table.writeUInt32LE(entries.length);
  let nameAt = table.length;
  let dataAt = nameAt + names.reduce((sum, name) => sum + name.length, 0);
  entries.forEach(([, content], index) => {
    table.writeUInt32LE(nameAt, 4 + 8 * index);
    table.writeUInt32LE(dataAt, 8 + 8 * index);
    nameAt += names[index]?.length ?? 0;
    dataAt += content.length;
  });
  return Buffer.concat([header, table, ...names, ...entries.map(([, content]) => content)]);
}
