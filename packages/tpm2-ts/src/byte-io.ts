/** The two cursors below the codecs: a bounded reader and a growing writer. Both know the field path they are at. */
import { type CodecErrorCode, TpmCodecError } from './errors.ts';

/** Reads forward inside `[offset, end)`. A sized structure narrows `end` while it is read. */
export class Reader {
  readonly path: string[] = [];
  readonly bytes: Uint8Array;
  offset = 0;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  get left(): number {
    return this.end - this.offset;
  }

  /** A copy of the next `count` bytes. @throws TpmCodecError TRUNCATED */
  take(count: number): Uint8Array {
    this.need(count);
    const taken = this.bytes.slice(this.offset, this.offset + count);
    this.offset += count;
    return taken;
  }

  /** Unsigned big-endian number of up to 4 bytes. */
  takeNumber(count: number): number {
    this.need(count);
    let value = 0;
    for (let i = 0; i < count; i += 1) value = value * 256 + (this.bytes[this.offset + i] ?? 0);
    this.offset += count;
    return value;
  }

  need(count: number): void {
    if (this.left < count) throw this.error('TRUNCATED', `needs ${count} bytes, ${this.left} left`);
  }

  /** @throws TpmCodecError TRAILING_BYTES unless everything up to `end` was read */
  finish(): void {
    if (this.left !== 0) throw this.error('TRAILING_BYTES', `${this.left} bytes too many`);
  }

  error(code: CodecErrorCode, reason: string, offset = this.offset): TpmCodecError {
    return new TpmCodecError(code, pathText(this.path), offset, reason);
  }
}

/** Appends to a buffer that doubles as it fills. */
export class Writer {
  readonly path: string[] = [];
  private buffer = new Uint8Array(256);
  private length = 0;

  put(bytes: Uint8Array): void {
    this.grow(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Unsigned big-endian; the caller has checked the range. */
  putNumber(value: number, count: number): void {
    this.grow(count);
    let rest = value;
    for (let i = count - 1; i >= 0; i -= 1) {
      this.buffer[this.length + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.length += count;
  }

  get offset(): number {
    return this.length;
  }

  /** Overwrites a size field written earlier, once the size is known. */
  patchNumber(at: number, value: number, count: number): void {
    const end = this.length;
    this.length = at;
    this.putNumber(value, count);
    this.length = end;
  }

  result(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  error(code: CodecErrorCode, reason: string): TpmCodecError {
    return new TpmCodecError(code, pathText(this.path), this.length, reason);
  }

  private grow(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

function pathText(path: readonly string[]): string {
  return path.join('.').replaceAll('.[', '[');
}
