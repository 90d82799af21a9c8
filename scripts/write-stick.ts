/** Writes an ISO to a disk and reads it back. Who may be overwritten is judged before (write-stick-rules.ts). */
import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { readBack } from './stick/read-back.ts';
import { BLOCK_BYTES, type Change, mustGoOn, type WriteInput, writtenRanges } from './stick/write-input.ts';
import { openDisk } from './write-stick-open.ts';
import { StickError } from './write-stick-rules.ts';

/**
 * Returns the SHA-256 (hex) of what was read from the ISO, changed, written, and read back from the disk.
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
    let given = await readBack(input);
    if (given === undefined) {
      // When its last user closes a disk, the kernel drops what it kept of it in memory: this reads the disk again as well,
      // unless another program has it open.
      await device.close();
      device = undefined;
      device = await openDisk(input.disk, constants.O_RDONLY | constants.O_EXCL);
      given = await readBack(input, device);
    }
    if (given !== written) {
      const message = `what ${input.disk.path} gives back differs from what was written: SHA-256 ${given}, written ${written}`;
      throw new StickError('STICK_DIFFERS', message, { nextStep: 'the stick is bad: use another' });
    }
    return written;
  } finally {
    await device?.close();
  }
}

async function copy(input: WriteInput, device: FileHandle): Promise<string> {
  const { disk, iso, isoBytes, changes = [], progress, signal } = input;
  const totalBytes = writtenRanges(input).reduce((sum, { length }) => sum + length, 0);
  const hash = createHash('sha256');
  const source = await open(iso, 'r').catch((cause: unknown) => {
    throw new StickError('ISO_UNREADABLE', `${iso} cannot be read`, { cause });
  });
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let done = 0;
  const put = async (bytes: Uint8Array, offset: number) => {
    hash.update(bytes);
    await writeAll(device, bytes, offset);
    done += bytes.length;
    progress({ phase: 'write', doneBytes: done, totalBytes });
  };
  try {
    while (done < isoBytes) {
      mustGoOn(signal, disk, `${done} of ${totalBytes} bytes were written`);
      const wanted = Math.min(BLOCK_BYTES, isoBytes - done);
      const { bytesRead } = await source.read(buffer, 0, wanted, done).catch((cause: unknown) => {
        throw isoChanged(iso, done, isoBytes, cause);
      });
      if (bytesRead === 0) throw isoChanged(iso, done, isoBytes);
      const block = buffer.subarray(0, bytesRead);
      for (const change of changes) lay(change, block, done);
      await put(block, done);
    }
    for (const { offset, bytes } of changes.filter((change) => change.offset >= isoBytes)) {
      mustGoOn(signal, disk, `${done} of ${totalBytes} bytes were written`);
      await put(bytes, offset);
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

/** Over the part of `block`, which lies at `at` on the disk, that both have. */
function lay({ offset, bytes }: Change, block: Buffer, at: number): void {
  const from = Math.max(offset, at);
  const to = Math.min(offset + bytes.length, at + block.length);
  if (from < to) block.set(bytes.subarray(from - offset, to - offset), from - at);
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
