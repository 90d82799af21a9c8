/** A machine that restarts: memory, TPM and, where it has one, NVRAM as they were. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine, MachineOptions } from '../../../scripts/run/machine.ts';
import { bootScene, type Scene } from '../support.ts';

/**
 * Ends `machine`, if it has not ended by itself, in the midst of whatever it does, and goes on with the memory in its file. A QEMU of
 * its own, not a reset of the same one: its emulated processor keeps what it translated, and firmware overwriting such pages
 * was seen to take more than ten minutes (QEMU 7.2).
 */
export async function startAgain(
  scene: Scene,
  machine: Machine,
  options: Partial<MachineOptions> & { readonly memoryFile: string },
): Promise<Machine> {
  await machine.close();
  if (options.firmware === 'bios') return bootScene(scene, options);
  const firmwareVariables = join(scene.folder, 'variables-kept');
  await copyFile(join(scene.folder, 'machine/ovmf-vars.fd'), firmwareVariables);
  return bootScene(scene, { ...options, firmwareVariables });
}
