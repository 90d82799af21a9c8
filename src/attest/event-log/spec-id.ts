/** The header of a log, TCG_EfiSpecIDEvent (PFP 1.06 §10.4.5.1): which banks its events carry, and who wrote it. */
import { HASH_BYTES } from '../crypto/crypto.ts';
import { EventType } from './event-types.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import { startsWithText } from './text.ts';

export interface SpecId {
  /** 0 client, 1 server. */
  readonly platformClass: number;
  readonly versionMajor: number;
  readonly versionMinor: number;
  readonly errata: number;
  /** In units of four bytes: 1 or 2. */
  readonly uintnSize: number;
  /** By algorithm id, in the header's order. */
  readonly algorithms: ReadonlyMap<number, Algorithm>;
  readonly vendorInfo: Uint8Array;
}

export interface Algorithm {
  readonly bank: string;
  readonly bytes: number;
}

const SIGNATURE = 'Spec ID Event03\0';
const MAX_ALGORITHMS = 16;
const MAX_DIGEST_BYTES = 128;

/** TPM_ALG_ID to bank, TCG Algorithm Registry §5.1. Of those without a size in HASH_BYTES the log is read, not replayed. */
const BANKS = new Map<number, Algorithm>([
  [0x0004, { bank: 'sha1', bytes: HASH_BYTES.sha1 }],
  [0x000b, { bank: 'sha256', bytes: HASH_BYTES.sha256 }],
  [0x000c, { bank: 'sha384', bytes: HASH_BYTES.sha384 }],
  [0x000d, { bank: 'sha512', bytes: HASH_BYTES.sha512 }],
  [0x0012, { bank: 'sm3_256', bytes: 32 }],
  [0x0027, { bank: 'sha3_256', bytes: 32 }],
  [0x0028, { bank: 'sha3_384', bytes: 48 }],
  [0x0029, { bank: 'sha3_512', bytes: 64 }],
]);

export function isSpecId03(type: number, data: Uint8Array): boolean {
  return type === EventType.NO_ACTION && startsWithText(data, SIGNATURE);
}

/** `behind`: what follows the event, where the vendor information may have ended up. @throws LogError */
export function readSpecId(
  data: Uint8Array,
  behind: Uint8Array,
): { readonly specId: SpecId; readonly bytesTakenBehind: number } {
  const reader = littleEndianReader(data);
  reader.bytes(SIGNATURE.length, 'Spec ID signature');
  const platformClass = reader.u32('Spec ID platform class');
  const versionMinor = reader.u8('Spec ID minor version');
  const versionMajor = reader.u8('Spec ID major version');
  const errata = reader.u8('Spec ID errata');
  const uintnSize = reader.u8('Spec ID uintn size');
  const algorithms = new Map<number, Algorithm>();
  const count = reader.u32('Spec ID algorithm count');
  if (count === 0 || count > MAX_ALGORITHMS) {
    throw new LogError('LOG_HEADER_BAD', `the header names ${count} algorithms, 1 to ${MAX_ALGORITHMS} are possible`);
  }
  for (let index = 0; index < count; index += 1) {
    const id = reader.u16('Spec ID algorithm');
    const bytes = reader.u16('Spec ID digest size');
    const known = BANKS.get(id);
    const bank = known?.bank ?? `alg_0x${id.toString(16).padStart(4, '0')}`;
    const again = algorithms.has(id);
    if (again || bytes === 0 || bytes > MAX_DIGEST_BYTES || (known !== undefined && known.bytes !== bytes)) {
      throw new LogError('LOG_HEADER_BAD', `the header names ${bank} with ${bytes} bytes${again ? ' again' : ''}`);
    }
    algorithms.set(id, { bank, bytes });
  }
  const vendorBytes = reader.u8('Spec ID vendor size');
  const outside = reader.left === 0 && vendorBytes <= behind.length;
  const vendorInfo = outside
    ? behind.subarray(0, vendorBytes)
    : reader.bytes(vendorBytes, 'Spec ID vendor information');
  if (reader.left > 0) {
    throw new LogError('LOG_HEADER_BAD', `${reader.left} bytes after the header's vendor information`);
  }
  const specId = { platformClass, versionMajor, versionMinor, errata, uintnSize, algorithms, vendorInfo };
  return { specId, bytesTakenBehind: outside ? vendorBytes : 0 };
}
