/** A configuration given on the command line, judged where it can be corrected, by the rules of the machine that will read it. */
import { readFile } from 'node:fs/promises';
import { checkFileSize } from '../../sell-client/configuration/block-reader.ts';
import { parseConfiguration } from '../../sell-client/configuration/parse-configuration.ts';
import { CodedError } from '../../shared/errors.ts';

export class ConfigurationFileError extends CodedError<'CONFIGURATION_FILE_UNREADABLE'> {}

export interface ConfigurationFile {
  readonly bytes: Uint8Array;
  readonly broker: string;
}

/** @throws ConfigurationFileError, VolumeError, ConfigurationError */
export async function readConfigurationFile(file: string): Promise<ConfigurationFile> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new ConfigurationFileError('CONFIGURATION_FILE_UNREADABLE', `${file} cannot be read`, {
      cause,
      nextStep: 'name the cpushare.json that your broker gave you',
    });
  });
  checkFileSize(bytes.length);
  return { bytes: new Uint8Array(bytes), broker: parseConfiguration(bytes).broker };
}
