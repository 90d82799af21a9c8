/** OVMF as Debian and Ubuntu ship it: 4 MiB builds, with Microsoft's keys enrolled or with none. */
import { access, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../src/shared/errors.ts';

export class FirmwareError extends CodedError<'FIRMWARE_MISSING'> {}

export interface Firmware {
  readonly code: string;
  /** This machine's own copy of the variable store. */
  readonly variables: string;
}

const FOLDER = '/usr/share/OVMF';

/**
 * @param secureBoot true: Microsoft keys enrolled, Secure Boot on. false: no keys, Secure Boot off.
 * @throws FirmwareError
 */
export async function prepareFirmware(folder: string, secureBoot: boolean): Promise<Firmware> {
  const code = join(FOLDER, 'OVMF_CODE_4M.secboot.fd');
  const template = join(FOLDER, secureBoot ? 'OVMF_VARS_4M.ms.fd' : 'OVMF_VARS_4M.fd');
  for (const file of [code, template]) {
    await access(file).catch((cause: unknown) => {
      throw new FirmwareError('FIRMWARE_MISSING', `no UEFI firmware for the virtual machine: ${file} is not there`, {
        cause,
        nextStep: 'sudo apt install ovmf',
      });
    });
  }
  const variables = join(folder, 'ovmf-vars.fd');
  await copyFile(template, variables);
  return { code, variables };
}
