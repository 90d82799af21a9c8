/** A disk that holds the ISO: its bytes with the changes laid over, and what else is known from the ISO alone. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CodedError } from '../../src/shared/errors.ts';
import type { Change } from '../stick/write-input.ts';

export class ExportError extends CodedError<'EXPORT_NO_ISO' | 'EXPORT_EXISTS'> {}

const BLOCK_BYTES = 1 << 20;

export interface IsoFacts {
  readonly path: string;
  readonly sizeBytes: number;
  /** When the volume says it was made, which is the build's source date: seconds since 1970. */
  readonly sourceDateEpoch: number;
}

/** @throws ExportError */
export async function readIsoFacts(path: string): Promise<IsoFacts> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw noIso(`there is no ${path}`, cause);
  });
  try {
    const { size } = await file.stat();
    const date = await modificationDate(file);
    if (date === undefined) throw noIso(`${path} is no ISO of ours: its volume has no date`);
    return { path, sizeBytes: size, sourceDateEpoch: date };
  } finally {
    await file.close();
  }
}

/** ECMA-119 §8.4.27: 16 digits in the primary volume descriptor. */
async function modificationDate(file: FileHandle): Promise<number | undefined> {
  const descriptor = Buffer.alloc(2048);
  await file.read(descriptor, 0, descriptor.length, 16 * 2048);
  if (descriptor.toString('latin1', 1, 6) !== 'CD001') return undefined;
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(descriptor.toString('latin1', 830, 846));
  if (digits === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.slice(1).map(Number);
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  return milliseconds > 0 ? milliseconds / 1000 : undefined;
}

/** `changes` in the order of their offsets; between and behind the ISO there are zeros. */
export async function* diskContent(iso: IsoFacts, changes: readonly Change[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of createReadStream(iso.path, { highWaterMark: BLOCK_BYTES })) {
    const block = Buffer.from(piece as Uint8Array);
    for (const { offset, bytes } of changes) {
      const from = Math.max(offset, at);
      const to = Math.min(offset + bytes.length, at + block.length);
      if (from < to) block.set(bytes.subarray(from - offset, to - offset), from - at);
    }
    yield block;
    at += block.length;
  }
  for (const { offset, bytes } of changes.filter((change) => change.offset >= iso.sizeBytes)) {
    yield Buffer.alloc(offset - at);
    yield bytes;
    at = offset + bytes.length;
  }
}

/** Names the contents and nothing else: RFC 9562 version 8 over the SHA-256 of what is given. */
export async function contentId(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  const id = hash.digest().subarray(0, 16);
  id.writeUInt8(0x80 | (id.readUInt8(6) & 0x0f), 6);
  id.writeUInt8(0x80 | (id.readUInt8(8) & 0x3f), 8);
  return id;
}

function noIso(message: string, cause?: unknown): ExportError {
  return new ExportError('EXPORT_NO_ISO', message, {
    cause,
    nextStep: 'build it (npx cpushare image build), or name one with --iso',
  });
}
