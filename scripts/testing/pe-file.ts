/** Builds small PE32+ files for tests, after Microsoft's PE Format: headers, sections, symbol strings, certificates. */
export interface PePart {
  readonly name: string;
  readonly content: Uint8Array;
}

export const PE_OFFSETS = { checksum: 0x40 + 24 + 64, certificateEntry: 0x40 + 24 + 144, headersSize: 0x400 };

const ALIGNMENT = 0x200;
const COFF = 0x40;
const OPTIONAL_SIZE = 240;

export function peFile(sections: readonly PePart[], certificates: Uint8Array = new Uint8Array()): Buffer {
  const padded = sections.map(({ content }) => Buffer.concat([content, zeros(content.length, ALIGNMENT)]));
  const sectionsEnd = padded.reduce((sum, one) => sum + one.length, PE_OFFSETS.headersSize);
  const strings = stringTable(sections.map(({ name }) => name));
  const tail = Buffer.concat([strings.bytes, zeros(strings.bytes.length, 8)]);
  const header = Buffer.alloc(PE_OFFSETS.headersSize);
  header.write('MZ');
  header.writeUInt32LE(COFF, 60);
  header.write('PE\0\0', COFF, 'latin1');
  header.writeUInt16LE(0x8664, COFF + 4);
  header.writeUInt16LE(sections.length, COFF + 6);
  header.writeUInt32LE(sectionsEnd, COFF + 12); // symbol table without symbols: the strings follow at once
  header.writeUInt16LE(OPTIONAL_SIZE, COFF + 20);
  const optional = COFF + 24;
  header.writeUInt16LE(0x20b, optional);
  header.writeUInt32LE(PE_OFFSETS.headersSize, optional + 60);
  header.writeUInt32LE(0x1234_5678, PE_OFFSETS.checksum);
  header.writeUInt32LE(16, optional + 108);
  if (certificates.length > 0) {
    header.writeUInt32LE(sectionsEnd + tail.length, PE_OFFSETS.certificateEntry);
    header.writeUInt32LE(certificates.length, PE_OFFSETS.certificateEntry + 4);
  }
  let rawOffset = PE_OFFSETS.headersSize;
  for (const [index, { content }] of sections.entries()) {
    const at = optional + OPTIONAL_SIZE + 40 * index;
    header.write(strings.references[index] ?? '', at, 'latin1');
    header.writeUInt32LE(content.length, at + 8);
    header.writeUInt32LE(padded[index]?.length ?? 0, at + 16);
    header.writeUInt32LE(rawOffset, at + 20);
    rawOffset += padded[index]?.length ?? 0;
  }
  return Buffer.concat([header, ...padded, tail, certificates]);
}

/** Names of more than eight bytes live behind the symbols and are written `/OFFSET`. */
function stringTable(names: readonly string[]): { bytes: Buffer; references: string[] } {
  let text = '';
  const references = names.map((name) => {
    if (name.length <= 8) return name;
    const reference = `/${4 + text.length}`;
    text += `${name}\0`;
    return reference;
  });
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeUInt32LE(bytes.length);
  bytes.write(text, 4, 'latin1');
  return { bytes, references };
}

const zeros = (length: number, unit: number) => new Uint8Array((unit - (length % unit)) % unit);
