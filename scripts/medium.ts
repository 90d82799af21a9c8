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
import { ABOUT_FILES, type AboutInput, writeAboutFiles } from './medium-files.ts';
import { readOwnPackage } from './project.ts';
import { formatProvenance, type ProvenanceInput } from './provenance.ts';
import { computeReferenceValues } from './reference-values.ts';
import { partSizes } from './sizes.ts';
import { sourceSha256 } from './source-files.ts';
import type { Tools } from './tools.ts';

const VALUES = 'reference-values.json';
const SBOM = ABOUT_FILES.sbom;

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
  /** What the medium tells about itself. */
  readonly about: Pick<AboutInput, 'source' | 'made' | 'sellClient' | 'treeOf'>;
  /** Gets image.iso, reference-values.json, sizes.json, sbom.cdx.json and provenance.json beside the parts. */
  readonly output: string;
}

export async function packMedium(input: MediumInput, tools: Tools): Promise<void> {
  const { spec, lock, packages, output } = input;
  const sourceDateEpoch = lock.sourceDateEpoch;
  const boot = bootFiles(packages, lock, input.modules.version);

  const initrd = await packInitrd({
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
  const { version: projectVersion } = await readOwnPackage();
  const about = await writeAboutFiles({ ...input.about, lock, projectVersion }, output);
  const esp = await packEsp({ shim: boot.shim, grub: boot.grub, grubConfig, output: join(output, 'esp.img') }, tools);
  const iso = await packIso(
    {
      kernel: boot.kernel,
      initrd,
      grubConfig,
      biosImage,
      hybridMbr: hybridMbrIn(boot.grubModules),
      esp,
      otherFiles: about,
      output: join(output, 'image.iso'),
      sourceDateEpoch,
    },
    tools,
  );

  const lockSha256 = await sha256OfFile(input.lockPath);
  const values = await computeReferenceValues({
    image: { name: spec.name, version: spec.version },
    lockSha256,
    iso,
    shim: boot.shim,
    grub: boot.grub,
    kernel: boot.kernel,
    grubConfig,
    initrd,
    kernelModules: await moduleHashes(input.modules),
  });
  await writeFile(join(output, VALUES), `${JSON.stringify(values, null, 2)}\n`);
  await writeProvenance({ spec, lock, lockSha256, projectVersion }, input);
  const parts = { kernel: boot.kernel, initrd, ...input.layers, esp, 'bios-grub': biosImage, iso };
  await writeFile(join(output, 'sizes.json'), `${JSON.stringify(await partSizes(parts), null, 2)}\n`);
}

/** The statement's subjects are the files that a build publishes, under their published names. */
async function writeProvenance(
  known: Pick<ProvenanceInput, 'spec' | 'lock' | 'lockSha256' | 'projectVersion'>,
  { about: { source, made }, output }: MediumInput,
): Promise<void> {
  const { iso, sbom, referenceValues } = source.outputs;
  const published = { [iso]: 'image.iso', [sbom]: SBOM, [referenceValues]: VALUES };
  const subjects = await Promise.all(
    Object.entries(published).map(async ([name, path]) => ({ name, sha256: await sha256OfFile(join(output, path)) })),
  );
  const npmParts = [...made.clientParts, ...made.recipeParts];
  const text = formatProvenance({ ...known, sourceSha256: sourceSha256(made.list), npmParts, subjects });
  await writeFile(join(output, 'provenance.json'), text);
}

function bootFiles(packages: string, lock: ImageLock, version: string) {
  const kernelPackage = packagesFor(lock, 'kernel')[0]?.name ?? '';
  return {
    kernel: join(packages, kernelPackage, `boot/vmlinuz-${version}`),
    shim: join(packages, 'shim-signed/usr/lib/shim/shimx64.efi.signed'),
    grub: join(packages, 'grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
    grubModules: join(packages, 'grub-pc-bin/usr/lib/grub/i386-pc'),
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
