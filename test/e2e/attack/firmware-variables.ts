/**
 * The firmware's variables as OVMF keeps them in flash: a store of authenticated variables (EDK II MdeModulePkg,
 * Guid/VariableFormat.h), one behind the other, each on a multiple of four bytes, erased bytes after the last.
 */

export interface FirmwareVariable {
  /** As in text: `e20939be-32d4-41be-a150-897f85d49829`. */
  readonly vendor: string;
  readonly name: string;
  readonly attributes: number;
  readonly data: Uint8Array;
}

const STORE = 'aaf32c78-947b-439a-a180-2e144ec37792';
const STORE_HEADER_BYTES = 28;
const HEADER_BYTES = 60;
const START = 0x55aa;
/** VAR_ADDED: whole, and not deleted. */
const WHOLE = 0x3f;

/** `store` with one more variable. */
export function withVariable(store: Uint8Array, { vendor, name, attributes, data }: FirmwareVariable): Uint8Array {
  const bytes = Buffer.from(store);
  const at = walk(bytes).end;
  const nameBytes = Buffer.from(`${name}\0`, 'utf16le');
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(START, 0);
  header[2] = WHOLE;
  header.writeUInt32LE(attributes, 4);
  header.writeUInt32LE(nameBytes.length, 36);
  header.writeUInt32LE(data.length, 40);
  guid(vendor).copy(header, 44);
  Buffer.concat([header, nameBytes, data]).copy(bytes, at);
  return bytes;
}

/** The variable as it is now; undefined where the firmware has none of that name. */
export function readVariable(store: Uint8Array, vendor: string, name: string): FirmwareVariable | undefined {
  return walk(Buffer.from(store)).variables.find((one) => one.vendor === vendor && one.name === name);
}

function walk(bytes: Buffer): { readonly variables: FirmwareVariable[]; readonly end: number } {
  const store = bytes.indexOf(guid(STORE));
  if (store === -1) throw new Error('no store of authenticated variables');
  const variables: FirmwareVariable[] = [];
  let at = store + STORE_HEADER_BYTES;
  while (bytes.readUInt16LE(at) === START) {
    const [nameBytes, dataBytes] = [bytes.readUInt32LE(at + 36), bytes.readUInt32LE(at + 40)];
    const nameAt = at + HEADER_BYTES;
    if (bytes[at + 2] === WHOLE) {
      variables.push({
        vendor: guidText(bytes.subarray(at + 44, nameAt)),
        name: bytes.toString('utf16le', nameAt, nameAt + nameBytes - 2),
        attributes: bytes.readUInt32LE(at + 4),
        data: new Uint8Array(bytes.subarray(nameAt + nameBytes, nameAt + nameBytes + dataBytes)),
      });
    }
    at = Math.ceil((nameAt + nameBytes + dataBytes) / 4) * 4;
  }
  return { variables, end: at };
}

/** The first three groups are numbers in little-endian, the other two are bytes (UEFI, appendix A). */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  return Buffer.concat([
    bytes.subarray(0, 4).reverse(),
    bytes.subarray(4, 6).reverse(),
    bytes.subarray(6, 8).reverse(),
    bytes.subarray(8),
  ]);
}

function guidText(bytes: Buffer): string {
  const copy = Buffer.from(bytes);
  const hex = guid(copy.toString('hex')).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
