/** From the packed root to the ISO: initrd, boot loaders, ESP, ISO, and the reference values of what was made. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packEsp } from './esp.ts';
import { sha256OfFile } from './fetch.ts';
import { hybridMbrIn, packBiosGrub, readGrubTemplate, renderGrubConfig } from './grub.ts';
import type { ImageSpec } from './image-spec.ts';
import { packInitrd } from './initrd.ts';
import { packIso } from './iso.ts';
import type { KernelModules } from './kernel-modules.ts';
import { type ImageLock, packagesFor } from './lock-file.ts';
import { computeReferenceValues } from './reference-values.ts';
import { partSizes } from './sizes.ts';
import type { Tools } from './tools.ts';

export interface MediumInput {
  /** image/ of the checkout. */
  readonly image: string;
  readonly spec: ImageSpec;
  readonly lock: ImageLock;
  readonly lockPath: string;
  /** From unpackPackages. */
  readonly packages: string;
  readonly modules: KernelModules & { readonly tree: string };
  /** Squashfs files. */
  readonly layers: { readonly base: string; readonly agent: string };
  /** Gets image.iso, reference-values.json and sizes.json beside the parts. */
  readonly output: string;
}

export async function packMedium(input: MediumInput, tools: Tools): Promise<void> {
  const { spec, lock, packages, output } = input;
  const sourceDateEpoch = lock.sourceDateEpoch;
  const boot = bootFiles(packages, lock, input.modules.version);

  const initrd = await packInitrd({
    busybox: boot.busybox,
    init: join(input.image, 'initrd/init'),
    modules: initrdModules(spec, input.modules),
    layers: input.layers,
    output: join(output, 'initrd.img'),
    sourceDateEpoch,
  });
  const template = await readGrubTemplate(input.image);
  const grubConfig = join(output, 'grub.cfg');
  await writeFile(grubConfig, renderGrubConfig({ template, parameters: spec.kernelCommandLine, sourceDateEpoch }));
  const biosImage = await packBiosGrub(
    { moduleFolder: boot.grubModules, sourceDateEpoch, output: join(output, 'bios.img') },
    tools,
  );
  const esp = await packEsp({ shim: boot.shim, grub: boot.grub, grubConfig, output: join(output, 'esp.img') }, tools);
  const iso = await packIso(
    {
      kernel: boot.kernel,
      initrd,
      grubConfig,
      biosImage,
      hybridMbr: hybridMbrIn(boot.grubModules),
      esp,
      output: join(output, 'image.iso'),
      sourceDateEpoch,
    },
    tools,
  );

  const values = await computeReferenceValues({
    image: { name: spec.name, version: spec.version },
    lockSha256: await sha256OfFile(input.lockPath),
    iso,
    shim: boot.shim,
    grub: boot.grub,
    kernel: boot.kernel,
    grubConfig,
    initrd,
    kernelModules: await moduleHashes(input.modules),
  });
  await writeFile(join(output, 'reference-values.json'), `${JSON.stringify(values, null, 2)}\n`);
  const parts = { kernel: boot.kernel, initrd, ...input.layers, esp, 'bios-grub': biosImage, iso };
  await writeFile(join(output, 'sizes.json'), `${JSON.stringify(await partSizes(parts), null, 2)}\n`);
}

function bootFiles(packages: string, lock: ImageLock, version: string) {
  const kernelPackage = packagesFor(lock, 'kernel')[0]?.name ?? '';
  return {
    kernel: join(packages, kernelPackage, `boot/vmlinuz-${version}`),
    shim: join(packages, 'shim-signed/usr/lib/shim/shimx64.efi.signed'),
    grub: join(packages, 'grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
    grubModules: join(packages, 'grub-pc-bin/usr/lib/grub/i386-pc'),
    busybox: join(packages, 'busybox-static/usr/bin/busybox'),
  };
}

function initrdModules(spec: ImageSpec, modules: MediumInput['modules']): string[] {
  return spec.initrdModules.map((name) => {
    const path = modules.modules.find((one) => basename(one) === `${name}.ko`);
    if (path === undefined) throw new Error(`module ${name} was not staged`);
    return join(modules.tree, path);
  });
}

/** As they lie in the image: what IMA measures when the kernel loads one. */
async function moduleHashes(modules: MediumInput['modules']) {
  return Promise.all(
    modules.modules.map(async (path) => ({ path: `/${path}`, sha256: await sha256OfFile(join(modules.tree, path)) })),
  );
}
