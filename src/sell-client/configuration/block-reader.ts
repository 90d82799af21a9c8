/** Reading untrusted volumes byte by byte, without handing them to a kernel file system. */
import { CodedError } from '../../shared/errors.ts';

export class VolumeError extends CodedError<'CONFIGURATION_VOLUME_UNREADABLE' | 'CONFIGURATION_FILE_TOO_LARGE'> {}

/** The label that marks the seller's volume, and the one file that is read from it. */
export const VOLUME_LABEL = 'CPUSHARE';
export const FILE_NAME = 'cpushare.json';
export const MAX_FILE_BYTES = 64 * 1024;

export interface BlockReader {
  /** Exactly `length` bytes. @throws VolumeError where the volume ends earlier. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** `null` in `file`: the volume has the label and lacks the file. */
export interface LabelledVolume {
  readonly format: 'FAT' | 'ISO 9660';
  readonly file: Uint8Array | null;
}

export function broken(what: string): VolumeError {
  return new VolumeError('CONFIGURATION_VOLUME_UNREADABLE', `the volume ${VOLUME_LABEL} is damaged: ${what}`, {
    nextStep: `format it again (FAT32 or ISO 9660, label ${VOLUME_LABEL}) and copy ${FILE_NAME} onto it`,
  });
}

export function checkFileSize(sizeBytes: number): void {
  if (sizeBytes <= MAX_FILE_BYTES) return;
  throw new VolumeError(
    'CONFIGURATION_FILE_TOO_LARGE',
    `${FILE_NAME} has ${sizeBytes} bytes, the limit is ${MAX_FILE_BYTES}`,
    {
      nextStep: `keep only the broker's address and pin in ${FILE_NAME}`,
    },
  );
}

export function isFileName(name: string): boolean {
  return name.toLowerCase() === FILE_NAME;
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
