/**
 * EFI_SIGNATURE_LIST (UEFI 2.10 §32.4.1): what PK, KEK, db, dbx and shim's lists consist of. Read strictly, because a
 * judge counts on an entry being in the list or not: sizes must add up to the byte.
 */
import { LogError, littleEndianReader } from './little-endian.ts';
import { readGuid } from './text.ts';

export interface SignatureList {
  readonly type: SignatureType;
  /** As written, for a type that has no name here. */
  readonly typeGuid: string;
  readonly headerBytes: number;
  /** Of each entry, owner included. */
  readonly entryBytes: number;
  readonly entries: readonly SignatureEntry[];
}

/** EFI_SIGNATURE_DATA. The owner is put into words when asked for: dbx has hundreds of entries. */
export interface SignatureEntry {
  /** GUID of whoever enrolled it; Microsoft's is 77fa9abd-0359-4d32-bd60-28f4e78f784b. */
  readonly owner: string;
  /** A DER certificate for `x509`, a hash for the hash types. */
  readonly data: Uint8Array;
}

export type SignatureType = (typeof SIGNATURE_TYPES)[keyof typeof SIGNATURE_TYPES] | 'unknown';

const SIGNATURE_TYPES = {
  'a5c059a1-94e4-4aa7-87b5-ab155c2bf072': 'x509',
  'c1c41626-504c-4092-aca9-41f936934328': 'sha256',
  '826ca512-cf10-4ac9-b187-be01496631bd': 'sha1',
  '0b6e5233-a65c-44c9-9407-d9ab83bfc8bd': 'sha224',
  'ff3e5307-9fd0-48c9-85f1-8ad56c701e01': 'sha384',
  '093e0fae-a6c4-4f50-9f1b-d41e2b89c19a': 'sha512',
  '3c5766e8-269c-4e34-aa14-ed776e85b3b6': 'rsa2048',
  'e2b36190-879b-4a3d-ad8d-f2e7bba32784': 'rsa2048-sha256',
  '67f8444f-8743-48f1-a328-1eaab8736080': 'rsa2048-sha1',
  '3bd2a492-96c0-4079-b420-fcf98ef103ed': 'x509-sha256',
  '7076876e-80c2-4ee6-aad2-28b349a6865b': 'x509-sha384',
  '446dbf63-2502-4cda-bcfa-2465d2b0fe9d': 'x509-sha512',
  '452e8ced-dfff-4b8c-ae01-5118862e682c': 'external',
} as const;

const OWNER_BYTES = 16;
const LIST_HEADER_BYTES = 28;

/** Every list in a variable's value; empty for an empty value. @throws LogError */
export function readSignatureLists(value: Uint8Array): readonly SignatureList[] {
  const reader = littleEndianReader(value);
  const lists: SignatureList[] = [];
  while (reader.left > 0) {
    const typeGuid = readGuid(reader);
    const listBytes = reader.u32('signature list size');
    const headerBytes = reader.u32('signature header size');
    const entryBytes = reader.u32('signature size');
    const entriesBytes = listBytes - LIST_HEADER_BYTES - headerBytes;
    if (entryBytes <= OWNER_BYTES || entriesBytes < 0 || entriesBytes % entryBytes !== 0) {
      throw new LogError(
        'LOG_EVENT_BAD',
        `a signature list of ${listBytes} bytes, header ${headerBytes}, entries of ${entryBytes}`,
      );
    }
    reader.bytes(headerBytes, 'signature header');
    const entries: SignatureEntry[] = [];
    const owners: OwnerMemo = { bytes: NO_OWNER, text: '' };
    for (let count = entriesBytes / entryBytes; count > 0; count -= 1) {
      entries.push(new Entry(reader.bytes(entryBytes, 'signature'), owners));
    }
    lists.push({ type: typeOf(typeGuid), typeGuid, headerBytes, entryBytes, entries });
  }
  return lists;
}

/** @throws LogError */
export function readSignatureEntry(bytes: Uint8Array): SignatureEntry {
  if (bytes.length < OWNER_BYTES) throw new LogError('LOG_TRUNCATED', `a signature of ${bytes.length} bytes`);
  return new Entry(bytes, { bytes: NO_OWNER, text: '' });
}

/** The owner that was last put into words: in a list it is nearly always the same. */
interface OwnerMemo {
  bytes: Uint8Array;
  text: string;
}

const NO_OWNER = new Uint8Array();

class Entry implements SignatureEntry {
  readonly #bytes: Uint8Array;
  readonly #owners: OwnerMemo;

  constructor(bytes: Uint8Array, owners: OwnerMemo) {
    this.#bytes = bytes;
    this.#owners = owners;
  }

  get owner(): string {
    if (!hasSameOwner(this.#bytes, this.#owners.bytes)) {
      this.#owners.bytes = this.#bytes;
      this.#owners.text = readGuid(littleEndianReader(this.#bytes));
    }
    return this.#owners.text;
  }

  get data(): Uint8Array {
    return this.#bytes.subarray(OWNER_BYTES);
  }
}

function hasSameOwner(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < OWNER_BYTES; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

function typeOf(guid: string): SignatureType {
  return Object.hasOwn(SIGNATURE_TYPES, guid) ? SIGNATURE_TYPES[guid as keyof typeof SIGNATURE_TYPES] : 'unknown';
}
