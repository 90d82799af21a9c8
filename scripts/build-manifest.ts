/**
 * `build-manifest.json`: the checksum of each component of a build, in the order in which they are made. Two builds of one
 * lock and checkout have the same manifest; where they differ, the first line that differs says in which step.
 */
import { createHash } from 'node:crypto';
import type { ImageSpec } from './image-spec.ts';
import type { ImageLock } from './lock-file.ts';
import type { Medium } from './medium.ts';
import type { PartSize } from './sizes.ts';
import type { Artifact } from './steps.ts';

export interface BuiltParts extends Medium {
  readonly lock: ImageLock;
  readonly sellClient: Artifact;
  readonly layers: { readonly base: Artifact; readonly agent: Artifact };
  /** SHA-256 of the tar streams that the layers were packed from. */
  readonly tars: { readonly base: string; readonly agent: string };
}

export interface BuildManifest {
  readonly format: 'cpushare-build-manifest';
  readonly version: 1;
  readonly image: { readonly name: string; readonly version: string };
  readonly components: readonly BuildComponent[];
}

export interface BuildComponent {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes?: number;
}

export function buildManifest(parts: BuiltParts, spec: ImageSpec, sizes: readonly PartSize[]): BuildManifest {
  const component = (name: string, sha256: string): BuildComponent => {
    const bytes = sizes.find((one) => one.name === name)?.bytes;
    return bytes === undefined ? { name, sha256 } : { name, sha256, sizeBytes: bytes };
  };
  return {
    format: 'cpushare-build-manifest',
    version: 1,
    image: { name: spec.name, version: spec.version },
    components: [
      component('packages', sha256OfPackages(parts.lock)),
      component('kernel', parts.kernel.sha256),
      component('base.tar', parts.tars.base),
      component('base', parts.layers.base.sha256),
      component('sell-client', parts.sellClient.sha256),
      component('agent.tar', parts.tars.agent),
      component('agent', parts.layers.agent.sha256),
      component('initrd', parts.initrd.sha256),
      component('grub.cfg', parts.grubConfig.sha256),
      component('bios-grub', parts.biosGrub.sha256),
      component('esp', parts.esp.sha256),
      component('sbom', parts.sbom.sha256),
      component('iso', parts.iso.sha256),
      component('reference-values', parts.referenceValues.sha256),
      component('provenance', parts.provenance.sha256),
    ],
  };
}

/** The set of .debs, as `sha256sum` would list them by name. */
function sha256OfPackages({ packages }: ImageLock): string {
  const rows = packages.map(({ name, version, sha256 }) => `${sha256}  ${name}_${version}\n`).sort();
  return createHash('sha256').update(rows.join('')).digest('hex');
}
