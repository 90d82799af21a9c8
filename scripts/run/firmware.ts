/** OVMF as Debian and Ubuntu ship it: 4 MiB builds, with Microsoft's keys enrolled or with none. */
import { access, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../src/shared/errors.ts';
import type { Hardware } from './shapes.ts';

export class FirmwareError extends CodedError<'FIRMWARE_MISSING'> {}

export interface Firmware {
  readonly code: string;
  /** This machine's own copy of the variable store. */
  readonly variables: string;
  /** System management mode keeps the Secure Boot variables out of the guest's reach. */
  readonly needsSmm: boolean;
}

const FOLDER = '/usr/share/OVMF';

/**
 * @param remembered a variable store to start from, in place of the one that Debian ships
 * @returns null for a legacy BIOS, which QEMU brings itself
 * @throws FirmwareError
 */
export async function prepareFirmware(
  folder: string,
  { chipset, firmware }: Pick<Hardware, 'chipset' | 'firmware'>,
  remembered?: string,
): Promise<Firmware | null> {
  if (firmware === 'bios') return null;
  const needsSmm = chipset === 'q35';
  const code = join(FOLDER, needsSmm ? 'OVMF_CODE_4M.secboot.fd' : 'OVMF_CODE_4M.fd');
  const template = remembered ?? variablesTemplate(firmware);
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
  return { code, variables, needsSmm };
}

/** The store with which Debian ships a machine. */
export function variablesTemplate(firmware: Exclude<Hardware['firmware'], 'bios'>): string {
  return join(FOLDER, firmware === 'uefi-secure-boot' ? 'OVMF_VARS_4M.ms.fd' : 'OVMF_VARS_4M.fd');
}
