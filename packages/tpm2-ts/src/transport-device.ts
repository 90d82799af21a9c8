/** The TPM of this machine through Linux' resource manager, `/dev/tpmrm0`: keys and sessions of others stay apart. */
import { constants, type FileHandle, open } from 'node:fs/promises';
import type { Tpm } from './command.ts';
import { MAX_RESPONSE_BYTES, queued } from './command-queue.ts';
import { TpmTransportError } from './errors.ts';

export const DEFAULT_DEVICE = '/dev/tpmrm0';

/** @throws TpmTransportError OPEN_FAILED */
export async function openTpmDevice(path: string = DEFAULT_DEVICE): Promise<Tpm> {
  const device = await open(path, constants.O_RDWR).catch((cause: NodeJS.ErrnoException) => {
    throw new TpmTransportError('OPEN_FAILED', `${path} cannot be opened: ${cause.code ?? cause.message}`, {
      cause,
      nextStep: NEXT_STEPS[cause.code ?? ''] ?? 'look into the kernel log for lines with "tpm"',
    });
  });
  return queued(
    path,
    (command) => exchange(device, path, command),
    () => device.close(),
  );
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  ENOENT: 'turn on the TPM (also called fTPM, PTT or Security Device) in the firmware setup, then start again',
  EACCES: 'run as root or as a member of the group that owns the device',
  EBUSY: 'end the other program that uses the TPM',
};

/** The driver takes a command in one write and gives its response in one read. */
async function exchange(device: FileHandle, path: string, command: Uint8Array): Promise<Uint8Array> {
  try {
    const { bytesWritten } = await device.write(command, 0, command.length, null);
    if (bytesWritten !== command.length) {
      throw new TpmTransportError('IO_FAILED', `${path} took ${bytesWritten} of ${command.length} bytes`);
    }
    const buffer = new Uint8Array(MAX_RESPONSE_BYTES);
    const { bytesRead } = await device.read(buffer, 0, buffer.length, null);
    if (bytesRead < 10) throw new TpmTransportError('RESPONSE_MALFORMED', `${path} answered with ${bytesRead} bytes`);
    return buffer.slice(0, bytesRead);
  } catch (cause) {
    if (cause instanceof TpmTransportError) throw cause;
    throw new TpmTransportError('IO_FAILED', `${path} failed: ${(cause as Error).message}`, { cause });
  }
}
