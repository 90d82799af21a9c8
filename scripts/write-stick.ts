/** Writes an ISO to a disk and reads it back. Who may be overwritten is judged before (write-stick-rules.ts). */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { execa } from 'execa';
import type { Disk } from './write-stick-disk.ts';
import { openDisk } from './write-stick-open.ts';
import { StickError } from './write-stick-rules.ts';

const BLOCK_BYTES = 4 * 2 ** 20;

export interface WriteState {
  readonly phase: 'write' | 'read back';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface WriteInput {
  readonly disk: Disk;
  readonly iso: string;
  readonly isoBytes: number;
  readonly progress: (state: WriteState) => void;
  /** Ends the work between two blocks. */
  readonly signal: AbortSignal;
}

/**
 * Returns the SHA-256 (hex) of what was read from the ISO, written, and read back from the disk.
 * @throws StickError
 */
export async function writeStick(input: WriteInput): Promise<string> {
  // O_EXCL: the kernel refuses while a file system, swap or RAID has the disk or a part of it, in any mount namespace, and
  // lets nobody mount it before we close, as a desktop would while we read back. O_SYNC: progress and errors are true.
  let device: FileHandle | undefined = await openDisk(
    input.disk,
    constants.O_RDWR | constants.O_EXCL | constants.O_SYNC,
  );
  try {
    const written = await copy(input, device);
    let readBack = await readDirect(input);
    if (readBack === undefined) {
      // When its last user closes a disk, the kernel drops what it kept of it in memory: this reads the disk again as well,
      // unless another program has it open.
      await device.close();
      device = undefined;
      device = await openDisk(input.disk, constants.O_RDONLY | constants.O_EXCL);
      readBack = await readPlain(input, device);
    }
    if (readBack !== written) {
      const message = `what ${input.disk.path} gives back differs from the ISO: SHA-256 ${readBack}, written ${written}`;
      throw new StickError('STICK_DIFFERS', message, { nextStep: 'the stick is bad: use another' });
    }
    return written;
  } finally {
    await device?.close();
  }
}

async function copy({ disk, iso, isoBytes, progress, signal }: WriteInput, device: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const source = await open(iso, 'r').catch((cause: unknown) => {
    throw new StickError('ISO_UNREADABLE', `${iso} cannot be read`, { cause });
  });
  const buffer = Buffer.alloc(BLOCK_BYTES);
  try {
    for (let done = 0; done < isoBytes; ) {
      mustGoOn(signal, disk, `${done} of ${isoBytes} bytes were written`);
      const wanted = Math.min(BLOCK_BYTES, isoBytes - done);
      const { bytesRead } = await source.read(buffer, 0, wanted, done).catch((cause: unknown) => {
        throw isoChanged(iso, done, isoBytes, cause);
      });
      if (bytesRead === 0) throw isoChanged(iso, done, isoBytes);
      hash.update(buffer.subarray(0, bytesRead));
      await writeAll(device, buffer.subarray(0, bytesRead), done);
      done += bytesRead;
      progress({ phase: 'write', doneBytes: done, totalBytes: isoBytes });
    }
    await device.sync();
  } catch (cause) {
    if (cause instanceof StickError) throw cause;
    throw new StickError('STICK_WRITE_FAILED', `${disk.path} stopped taking data; it cannot be used as it is`, {
      cause,
      nextStep: 'put the stick in again and write it again; if this stays, the stick is bad: use another',
    });
  } finally {
    await source.close();
  }
  return hash.digest('hex');
}

async function writeAll(device: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await device.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

function isoChanged(iso: string, done: number, isoBytes: number, cause?: unknown): StickError {
  return new StickError('ISO_UNREADABLE', `${iso} ended or failed at byte ${done} of ${isoBytes}`, {
    cause,
    nextStep: 'the stick cannot be used as it is: build or fetch the ISO again, then write again',
  });
}

/**
 * Past the kernel's memory, from the stick itself. Node.js has neither BLKFLSBUF nor buffers aligned as O_DIRECT needs them,
 * so `dd` reads. `undefined` when there is no dd, or it cannot read this disk so.
 */
async function readDirect(input: WriteInput): Promise<string | undefined> {
  const count = Math.ceil(input.isoBytes / BLOCK_BYTES);
  const args = [`if=${input.disk.path}`, 'iflag=direct', `bs=${BLOCK_BYTES}`, `count=${count}`];
  // in a process group of its own, so that Ctrl-C reaches it only through us
  const dd = execa('dd', args, { reject: false, buffer: { stdout: false }, encoding: 'buffer', detached: true });
  const reading = receive(input);
  try {
    for await (const chunk of dd.readable()) {
      if (!reading.take(chunk as Uint8Array)) break;
    }
  } catch (cause) {
    if (cause instanceof StickError) throw cause;
    if (reading.doneBytes() > 0) throw readFailure(input, reading.doneBytes(), cause);
    return undefined;
  } finally {
    dd.kill();
  }
  const ended = await dd;
  if (reading.doneBytes() === 0 && ended.failed) return undefined;
  return reading.digest(ended.failed ? ended : undefined);
}

async function readPlain(input: WriteInput, device: FileHandle): Promise<string> {
  const reading = receive(input);
  const stream = createReadStream('', {
    fd: device,
    autoClose: false,
    start: 0,
    end: input.isoBytes - 1,
    highWaterMark: BLOCK_BYTES,
  });
  try {
    for await (const chunk of stream) reading.take(chunk as Uint8Array);
  } catch (cause) {
    if (cause instanceof StickError) throw cause;
    throw readFailure(input, reading.doneBytes(), cause);
  }
  return reading.digest();
}

/** Hashes the first `isoBytes` of what comes; dd reads whole blocks and so may bring more. */
function receive(input: WriteInput) {
  const { disk, isoBytes, progress, signal } = input;
  const hash: Hash = createHash('sha256');
  let done = 0;
  return {
    doneBytes: () => done,
    /** False once there is enough. */
    take(chunk: Uint8Array): boolean {
      mustGoOn(signal, disk, 'all was written, not all read back');
      const part = chunk.subarray(0, isoBytes - done);
      hash.update(part);
      done += part.length;
      progress({ phase: 'read back', doneBytes: done, totalBytes: isoBytes });
      return done < isoBytes;
    },
    digest(cause?: unknown): string {
      if (done < isoBytes) throw readFailure(input, done, cause);
      return hash.digest('hex');
    },
  };
}

function readFailure({ disk, isoBytes }: WriteInput, done: number, cause: unknown): StickError {
  return new StickError('STICK_READ_FAILED', `${disk.path} gave back only ${done} of ${isoBytes} bytes`, {
    cause,
    nextStep: 'the stick is bad, or was pulled out: write it again, and if this stays use another',
  });
}

function mustGoOn(signal: AbortSignal, disk: Disk, how: string): void {
  if (!signal.aborted) return;
  throw new StickError('STICK_INTERRUPTED', `interrupted: ${how}; ${disk.path} cannot be used as it is`, {
    nextStep: 'write it again from the beginning, with the same command',
  });
}
