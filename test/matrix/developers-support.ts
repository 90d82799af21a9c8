/** The image for developers as its tests use it: built here, with a shell on its serial line. */
import { join } from 'node:path';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { type BuiltImage, buildImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';
import type { Machine } from '../../scripts/run/machine.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import type { Shell } from '../e2e/attack/shell.ts';

export const PATIENCE_MS = 180_000;

/** `DMA`: translated and invalidated at once (`DMA-FQ` would be lazily). Then the unit by its driver's name. */
export const IOMMU = 'busybox cat /sys/kernel/iommu_groups/*/type | busybox sort -u; busybox ls /sys/class/iommu';

export function buildForDevelopers(): Promise<BuiltImage> {
  return buildImage({
    projectRoot,
    flavour: 'debug',
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    progress: () => undefined,
  });
}

/** In the shell's own memory and in a file; the line that brings it holds it in two parts. */
export async function keepSecret(shell: Shell): Promise<string> {
  const [first, second] = ['3f1c9a7e55d2', 'b86e04c1d97a'];
  await shell.run(`SECRET=${first}; SECRET="$SECRET"${second}; echo $SECRET > /run/secret; export SECRET`);
  return first + second;
}

/** -no-reboot: a machine that restarts ends. */
export async function expectRestart(machine: Machine): Promise<void> {
  await waitFor(() => !machine.process.isRunning() || undefined, { what: 'its restart', timeoutMs: PATIENCE_MS });
}
