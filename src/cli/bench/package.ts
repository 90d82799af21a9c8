/** What a user of tpm2-ts downloads: the packed tarball, as npm weighs it. */
import { execa } from 'execa';
import { projectRoot } from '../../../scripts/project.ts';
import type { Emit } from './figure.ts';

export async function benchPackage(emit: Emit): Promise<void> {
  // without scripts: packing would compile the package anew
  const { stdout } = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '-w', 'tpm2-ts'], {
    cwd: projectRoot,
  });
  const [packed] = JSON.parse(stdout) as readonly { readonly size: number }[];
  emit({ name: 'package.tpm2-ts.bytes', value: packed?.size ?? 0, unit: 'bytes' });
}
