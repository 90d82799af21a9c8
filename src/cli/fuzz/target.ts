/** What is fuzzed: bytes in, and nothing out but coded errors. */
import { TpmCodecError, TpmKeyError } from 'tpm2-ts/errors';
import { CodedError } from '../../shared/errors.ts';

export interface Target {
  readonly name: string;
  /** What a mutation keeps whole. */
  readonly shape: 'bytes' | 'json' | 'der' | 'log';
  /** Valid inputs to start from. */
  readonly seeds: readonly Uint8Array[];
  /** The largest input that the program around it would let through, or less where it takes long. */
  readonly maxBytes: number;
  /** CPU milliseconds that even an empty input may take: signatures. The rest is counted per byte. */
  readonly baseMs: number;
  /** Throws coded errors for input it refuses, `BrokenRule` when it took what it must not, and nothing else. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** A rule about accepted input does not hold: as bad as a crash. */
export class BrokenRule extends Error {}

export function isRefusal(error: unknown): boolean {
  if (error instanceof TpmCodecError || error instanceof TpmKeyError) return true;
  return error instanceof CodedError && /^[A-Z][A-Z0-9_]+$/.test(error.code) && !hidesMistake(error.cause);
}

/** A reader that wraps whatever was thrown may wrap a mistake of its own. */
function hidesMistake(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const mistake = cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError;
  // TextDecoder reports bytes that are no UTF-8 so
  const decoding = (cause as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
  return (mistake && !decoding) || hidesMistake(cause.cause);
}

/** Compares by what can be seen of both. */
export function requireEqual(actual: unknown, expected: unknown, rule: string): void {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, each) =>
      typeof each === 'bigint' ? `${each}n` : each instanceof Uint8Array ? [...each] : each,
    );
  if (text(actual) !== text(expected)) throw new BrokenRule(rule);
}

/** What a machine wrote is shown in somebody's terminal: no control or format character may reach it. */
export function requirePrintable(text: string): void {
  const found = /[\p{Cc}\p{Cf}]/u.exec(text.replaceAll('\n', ''));
  if (found !== null) throw new BrokenRule(`the text shown holds U+${found[0].charCodeAt(0).toString(16)}`);
}
