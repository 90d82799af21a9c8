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

/** @throws LogError LOG_TRUNCATED from every read that needs more than is left */
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
  return new Reader(bytes);
}

class Reader implements LittleEndianReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }

  bytes(length: number, field: string): Uint8Array {
    const start = this.#take(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number, field: string): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) {
      throw new LogError(
        'LOG_TRUNCATED',
        `${field} at byte ${start}: needs ${length} bytes, ${this.#bytes.length - start} left`,
      );
    }
    this.#offset = start + length;
    return start;
  }
}
