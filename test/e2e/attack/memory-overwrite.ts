/** The firmware is asked to overwrite memory: TCG Platform Reset Attack Mitigation Specification, as a variable in NVRAM. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { variablesTemplate } from '../../../scripts/run/firmware.ts';
import { readVariable, withVariable } from './firmware-variables.ts';

/** OVMF keeps it, but does not make it by itself, as a PC's firmware does. */
const REQUEST = {
  vendor: 'e20939be-32d4-41be-a150-897f85d49829',
  name: 'MemoryOverwriteRequestControl',
  attributes: 7,
  data: Uint8Array.of(0),
};

/** Path of variables that hold the request, not yet made, for `bootScene`. */
export async function variablesWithRequest(folder: string): Promise<string> {
  const path = join(folder, 'variables');
  await writeFile(path, withVariable(await readFile(variablesTemplate('uefi-secure-boot')), REQUEST));
  return path;
}

/** As the machine of this scene's folder has it now. */
export async function memoryOverwriteRequested(folder: string): Promise<boolean> {
  const variables = await readFile(join(folder, 'machine/ovmf-vars.fd'));
  return readVariable(variables, REQUEST.vendor, REQUEST.name)?.data[0] === 1;
}
