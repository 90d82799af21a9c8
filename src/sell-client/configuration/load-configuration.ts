/** From the machine to a configuration in force: found, kept for this boot, measured, and only then read. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigurationSource } from '../../attest/evidence.ts';
import type { SellerConfiguration } from '../../protocol/messages.ts';
import { CodedError } from '../../shared/errors.ts';
import type { PcrBank } from '../tpm/machine-tpm.ts';
import { FILE_NAME, VOLUME_LABEL } from './block-reader.ts';
import { type DeviceFolders, findVolume } from './find-volume.ts';
import { configurationInGuestinfo, GUESTINFO_KEY, type GuestinfoPlaces } from './guestinfo.ts';
import { measureConfiguration } from './measure.ts';
import { measuredForm } from './measured-form.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { configurationInSmbios } from './smbios.ts';

export class LoadError extends CodedError<'CONFIGURATION_FILE_MISSING'> {}

export interface RawConfiguration {
  readonly bytes: Uint8Array;
  /** As shown to the seller: a device's name, or one of the names below. */
  readonly source: string;
}

export const SMBIOS_SOURCE = 'SMBIOS OEM string';
export const IMAGE_SOURCE = 'this image';

/** For those who judge the machine, and have no use for the name of a drive. */
export function configurationSource({ source }: RawConfiguration): ConfigurationSource {
  if (source === SMBIOS_SOURCE) return 'smbios';
  if (source === GUESTINFO_KEY) return 'guestinfo';
  return source === IMAGE_SOURCE ? 'image' : 'volume';
}

export interface ConfigurationPlaces extends DeviceFolders, GuestinfoPlaces {
  /** /sys/firmware/dmi/tables/DMI */
  readonly smbiosTable: string;
  /** The broker that the image itself names; the file is there in operators' own images only. */
  readonly imageConfiguration: string;
  /** Where this boot's configuration is kept once it was taken. */
  readonly copy: string;
}

export interface Look {
  /** Media that were looked at and are not the volume. */
  readonly seen: Set<string>;
  /**
   * A volume comes before all else, and a stick shows up seconds after the start: only when no more drives are to be
   * expected is a lesser source taken.
   */
  readonly drivesSettled: boolean;
  /** VMware is asked once in a boot; the volume is looked for again and again. */
  readonly guestinfo: { asked: boolean };
}

/** One look; `null` when there is none now. @throws VolumeError LoadError SmbiosError ValueError RpciError */
export async function lookForConfiguration(places: ConfigurationPlaces, look: Look): Promise<RawConfiguration | null> {
  return (
    (await keptCopy(places.copy)) ??
    (await fromVolume(places, look.seen)) ??
    (await fromVendor(places, look)) ??
    (await fromImage(places, look))
  );
}

async function keptCopy(copy: string): Promise<RawConfiguration | null> {
  const bytes = await readFile(copy).catch(() => null);
  if (bytes === null) return null;
  const source = await readFile(sourceFile(copy), 'utf8');
  return { bytes: new Uint8Array(bytes), source };
}

async function fromVolume(folders: DeviceFolders, seen: Set<string>): Promise<RawConfiguration | null> {
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

/** What the virtual machine's own settings say; on a PC these are the maker's strings, and none is ours. */
async function fromVendor(places: ConfigurationPlaces, look: Look): Promise<RawConfiguration | null> {
  if (!look.drivesSettled) return null;
  const table = await readFile(places.smbiosTable).catch(() => null);
  const inTable = table === null ? null : configurationInSmbios(new Uint8Array(table));
  if (inTable !== null) return { bytes: inTable, source: SMBIOS_SOURCE };
  if (look.guestinfo.asked) return null;
  const inGuestinfo = await configurationInGuestinfo(places);
  look.guestinfo.asked = true;
  return inGuestinfo === null ? null : { bytes: inGuestinfo, source: GUESTINFO_KEY };
}

/** When nobody said anything else. Measured like any other configuration, so a verifier sees it the same way. */
async function fromImage(places: ConfigurationPlaces, look: Look): Promise<RawConfiguration | null> {
  if (!look.drivesSettled) return null;
  const bytes = await readFile(places.imageConfiguration).catch(() => null);
  return bytes === null ? null : { bytes: new Uint8Array(bytes), source: IMAGE_SOURCE };
}

/** Without a TPM nothing can be measured, and such a machine is never attested. @throws MeasureError ConfigurationError */
export async function useConfiguration(
  raw: RawConfiguration,
  copy: string,
  bank: PcrBank | null,
): Promise<SellerConfiguration> {
  await keepCopy(raw, copy);
  if (bank !== null) await measureConfiguration(measuredForm(raw.bytes), bank);
  const fromSettings = raw.source === SMBIOS_SOURCE || raw.source === GUESTINFO_KEY;
  return parseConfiguration(raw.bytes, fromSettings ? raw.source : FILE_NAME);
}

/** Its source first: a copy that is there is whole, and always has one. */
export async function keepCopy(raw: RawConfiguration, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
  await writeFile(sourceFile(copy), raw.source, { mode: 0o600 });
  await writeFile(`${copy}.new`, raw.bytes, { mode: 0o600 });
  await rename(`${copy}.new`, copy);
}

const sourceFile = (copy: string) => `${copy}.source`;
