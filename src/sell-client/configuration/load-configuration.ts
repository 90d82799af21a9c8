/**
 * From a volume to a usable configuration: found, kept for this boot, measured, and only then parsed. The copy in /run
 * lets a restarted client go on with what was measured, whether or not the medium is still there.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SellerConfiguration } from '../../protocol/messages.ts';
import { CodedError } from '../../shared/errors.ts';
import type { PcrBank } from '../tpm/machine-tpm.ts';
import { FILE_NAME, VOLUME_LABEL } from './block-reader.ts';
import { type DeviceFolders, findVolume } from './find-volume.ts';
import { measureConfiguration } from './measure.ts';
import { parseConfiguration } from './parse-configuration.ts';

export class LoadError extends CodedError<'CONFIGURATION_FILE_MISSING'> {}

export interface RawConfiguration {
  readonly bytes: Uint8Array;
  /** As shown to the seller. */
  readonly source: string;
}

/** One look; `null` when there is no such volume now. @throws VolumeError LoadError */
export async function lookForConfiguration(
  folders: DeviceFolders,
  copy: string,
  seen: Set<string>,
): Promise<RawConfiguration | null> {
  const kept = await readFile(copy).catch(() => null);
  if (kept !== null) return { bytes: new Uint8Array(kept), source: 'this boot' };
  const volume = await findVolume(folders, seen);
  if (volume === null) return null;
  if (volume.file === null) {
    throw new LoadError(
      'CONFIGURATION_FILE_MISSING',
      `the volume ${VOLUME_LABEL} (${volume.device}) has no ${FILE_NAME}`,
      {
        nextStep: `copy ${FILE_NAME} into the top folder of the volume`,
      },
    );
  }
  return { bytes: volume.file, source: volume.device };
}

/** Without a TPM nothing can be measured, and such a machine is never attested. @throws MeasureError ConfigurationError */
export async function useConfiguration(
  raw: RawConfiguration,
  copy: string,
  bank: PcrBank | null,
): Promise<SellerConfiguration> {
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
  await writeFile(`${copy}.new`, raw.bytes, { mode: 0o600 });
  await rename(`${copy}.new`, copy);
  if (bank !== null) await measureConfiguration(raw.bytes, bank);
  return parseConfiguration(raw.bytes);
}
