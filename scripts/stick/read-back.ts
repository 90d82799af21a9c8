/** What a disk gives back of all that was written to it. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { execa } from 'execa';
import { StickError } from '../write-stick-rules.ts';
import { BLOCK_BYTES, mustGoOn, type WriteInput, writtenRanges } from './write-input.ts';

type Range = { readonly offset: number; readonly length: number };
type Reading = ReturnType<typeof receive>;

/**
 * SHA-256 of the written ranges. Without `device`, past the kernel's memory, from the disk itself: Node.js has neither
 * BLKFLSBUF nor buffers aligned as O_DIRECT needs them, so `dd` reads; `undefined` when there is no dd, or it cannot read
 * this disk so. @throws StickError
 */
export async function readBack(input: WriteInput, device?: FileHandle): Promise<string | undefined> {
  const reading = receive(input);
  for (const range of writtenRanges(input)) {
    reading.begin(range.length);
    if (device === undefined) {
      if (!(await readDirect(input, range, reading))) return undefined;
    } else await readPlain(device, range, reading);
  }
  return reading.digest();
}

/** False when nothing at all could be read so. */
async function readDirect({ disk }: WriteInput, { offset, length }: Range, reading: Reading): Promise<boolean> {
  const count = Math.ceil(length / BLOCK_BYTES);
  const from = ['iflag=direct,skip_bytes', `skip=${offset}`];
  const args = [`if=${disk.path}`, ...from, `bs=${BLOCK_BYTES}`, `count=${count}`];
  // in a process group of its own, so that Ctrl-C reaches it only through us
  const dd = execa('dd', args, { reject: false, buffer: { stdout: false }, encoding: 'buffer', detached: true });
  try {
    for await (const chunk of dd.readable()) {
      if (!reading.take(chunk as Uint8Array)) break;
    }
  } catch (cause) {
    if (cause instanceof StickError) throw cause;
    if (reading.doneBytes() > 0) throw reading.failure(cause);
    return false;
  } finally {
    dd.kill();
  }
  const ended = await dd;
  if (reading.doneBytes() === 0 && ended.failed) return false;
  reading.end(ended.failed ? ended : undefined);
  return true;
}

async function readPlain(device: FileHandle, { offset, length }: Range, reading: Reading): Promise<void> {
  const stream = createReadStream('', {
    fd: device,
    autoClose: false,
    start: offset,
    end: offset + length - 1,
    highWaterMark: BLOCK_BYTES,
  });
  try {
    for await (const chunk of stream) reading.take(chunk as Uint8Array);
  } catch (cause) {
    throw cause instanceof StickError ? cause : reading.failure(cause);
  }
  reading.end();
}

/** Hashes what comes, range by range; dd reads whole blocks and so may bring more. */
function receive(input: WriteInput) {
  const { disk, progress, signal } = input;
  const totalBytes = writtenRanges(input).reduce((sum, { length }) => sum + length, 0);
  const hash: Hash = createHash('sha256');
  let done = 0;
  let wanted = 0;
  const failure = (cause: unknown) =>
    new StickError('STICK_READ_FAILED', `${disk.path} gave back only ${done} of ${totalBytes} bytes`, {
      cause,
      nextStep: 'the stick is bad, or was pulled out: write it again, and if this stays use another',
    });
  return {
    failure,
    doneBytes: () => done,
    begin(length: number): void {
      wanted = length;
    },
    /** False once there is enough. */
    take(chunk: Uint8Array): boolean {
      mustGoOn(signal, disk, 'all was written, not all read back');
      const part = chunk.subarray(0, wanted);
      hash.update(part);
      done += part.length;
      wanted -= part.length;
      progress({ phase: 'read back', doneBytes: done, totalBytes });
      return wanted > 0;
    },
    /** @throws StickError when the range was cut short */
    end(cause?: unknown): void {
      if (wanted > 0) throw failure(cause);
    },
    digest: () => hash.digest('hex'),
  };
}
