/** Writes event logs byte by byte, wrong ones included: any banks, any digests, any header. */
import { concatBytes } from '../../../shared/bytes.ts';
import { nodeAttestCrypto } from '../../crypto/crypto-node.ts';
import { EventType } from '../event-types.ts';
import { isHashName } from '../replay.ts';

export const ALGORITHMS = {
  sha1: [0x0004, 20],
  sha256: [0x000b, 32],
  sha384: [0x000c, 48],
  sha512: [0x000d, 64],
  sm3_256: [0x0012, 32],
  sha3_256: [0x0027, 32],
  sha3_384: [0x0028, 48],
  sha3_512: [0x0029, 64],
} as const;

export type Bank = keyof typeof ALGORITHMS;

export interface RawEvent {
  readonly pcr: number;
  readonly type: number;
  readonly data: Uint8Array;
  /** What the digests are of; the data where it is left out. */
  readonly measured?: Uint8Array;
  /** Only these banks; all of the log where it is left out. */
  readonly banks?: readonly Bank[];
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const u8 = (value: number): Uint8Array => Uint8Array.of(value);
export const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
export const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
export const u64 = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);
export const utf16 = (value: string): Uint8Array => concatBytes(...Array.from(value, (c) => u16(c.charCodeAt(0))));

/** `8be4df61-93ca-11d2-aa0d-00e098032b8c` as the 16 bytes of an EFI_GUID. */
export function guid(value: string): Uint8Array {
  const hex = value.replaceAll('-', '');
  const byte = (index: number): number => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], byte);
}

export function specId(
  banks: readonly Bank[],
  vendorInfo: Uint8Array = new Uint8Array(),
  shownVendorInfo: Uint8Array = vendorInfo,
): Uint8Array {
  const algorithms = banks.map((bank) => concatBytes(u16(ALGORITHMS[bank][0]), u16(ALGORITHMS[bank][1])));
  const head = concatBytes(text('Spec ID Event03\0'), u32(0), Uint8Array.of(0, 2, 0, 2), u32(banks.length));
  return concatBytes(head, ...algorithms, u8(vendorInfo.length), shownVendorInfo);
}

/** TCG_PCClientPCREvent. */
export function sha1Event({ pcr, type, data, measured = data }: RawEvent): Uint8Array {
  return concatBytes(u32(pcr), u32(type), digest('sha1', type, measured), u32(data.length), data);
}

/** TCG_PCR_EVENT2. */
export function agileEvent({ pcr, type, data, measured = data, banks = [] }: RawEvent): Uint8Array {
  const digests = banks.map((bank) => concatBytes(u16(ALGORITHMS[bank][0]), digest(bank, type, measured)));
  return concatBytes(u32(pcr), u32(type), u32(banks.length), ...digests, u32(data.length), data);
}

export function agileLog(banks: readonly Bank[], events: readonly RawEvent[], header = specId(banks)): Uint8Array {
  const first = sha1Event({ pcr: 0, type: EventType.NO_ACTION, data: header });
  return concatBytes(first, ...events.map((event) => agileEvent({ banks, ...event })));
}

/** Banks we cannot hash get a made-up digest; NO_ACTION gets zeros. */
function digest(bank: Bank, type: number, measured: Uint8Array): Uint8Array {
  const bytes = ALGORITHMS[bank][1];
  if (type === EventType.NO_ACTION) return new Uint8Array(bytes);
  return isHashName(bank) ? nodeAttestCrypto.hash(bank, measured) : new Uint8Array(bytes).fill(0xab);
}
