/** Reads little-endian fields from untrusted bytes; never past the end, never a clamped slice. */
import { CodedError } from '../../shared/errors.ts';

export class LogError extends CodedError<
  | 'LOG_TRUNCATED'
  | 'LOG_TRAILING_BYTES'
  | 'LOG_TOO_LARGE'
  | 'LOG_HEADER_BAD'
  | 'LOG_ALGORITHM_UNKNOWN'
  | 'LOG_DIGESTS_BAD'
  | 'LOG_STARTUP_LOCALITY_BAD'
  | 'LOG_EVENT_BAD'
> {}

export interface LittleEndianReader {
  readonly offset: number;
  readonly left: number;
  u8(field: string): number;
  u16(field: string): number;
  u32(field: string): number;
  u64(field: string): bigint;
  /** A view, not a copy. */
  bytes(length: number, field: string): Uint8Array;
}

export function littleEndianReader(bytes: Uint8Array): LittleEndianReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const take = (length: number, field: string): number => {
    if (length > bytes.length - offset) {
      throw new LogError(
        'LOG_TRUNCATED',
        `${field} at byte ${offset}: needs ${length} bytes, ${bytes.length - offset} left`,
      );
    }
    const start = offset;
    offset += length;
    return start;
  };
  return {
    get offset() {
      return offset;
    },
    get left() {
      return bytes.length - offset;
    },
    u8: (field) => view.getUint8(take(1, field)),
    u16: (field) => view.getUint16(take(2, field), true),
    u32: (field) => view.getUint32(take(4, field), true),
    u64: (field) => view.getBigUint64(take(8, field), true),
    bytes: (length, field) => {
      const start = take(length, field);
      return bytes.subarray(start, start + length);
    },
  };
}
