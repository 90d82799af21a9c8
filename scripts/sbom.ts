/**
 * The bill of materials of an image, CycloneDX 1.6 as JSON: each locked .deb, the sell client and the npm packages in it.
 * A function of its arguments alone: sorted, dated by the lock, its serial number made of its own content.
 */
import { createHash } from 'node:crypto';
import {
  ComponentScope,
  ComponentType,
  HashAlgorithm,
  LicenseAcknowledgement,
} from '@cyclonedx/cyclonedx-library/Enums';
import {
  Bom,
  Component,
  HashDictionary,
  LicenseExpression,
  LicenseRepository,
  NamedLicense,
  Property,
  PropertyRepository,
  SpdxLicense,
} from '@cyclonedx/cyclonedx-library/Models';
import { JSON as Json, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize';
import { isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import { spdxOrName } from './deb-licences.ts';
import type { ImageSpec } from './image-spec.ts';
import type { ImageLock, LockedPackage } from './lock-file.ts';
import type { NpmPart } from './npm-parts.ts';
import { debPurl, npmPurl } from './purl.ts';

export interface SbomInput {
  readonly spec: Pick<ImageSpec, 'name' | 'version' | 'suite'>;
  readonly lock: ImageLock;
  /** By package: what its copyright file names, Debian's spelling. */
  readonly licences: ReadonlyMap<string, readonly string[]>;
  readonly client: { readonly version: string; readonly sha256: string; readonly parts: readonly NpmPart[] };
  readonly recipe: { readonly version: string; readonly parts: readonly NpmPart[] };
  readonly sourceSha256: string;
}

export function formatSbom(input: SbomInput): string {
  const bom = describe(input);
  bom.serialNumber = `urn:uuid:${uuidOf(serialize(bom))}`;
  return `${serialize(bom)}\n`;
}

const serialize = (bom: Bom) =>
  // The library's own sorting compares as the host's locale does, so all is put in sorted, and left as it is.
  new JsonSerializer(new Json.Normalize.Factory(Spec1dot6)).serialize(bom, { sortLists: false, space: 1 });

function describe(input: SbomInput): Bom {
  const { spec, lock } = input;
  const image = new Component(ComponentType.OperatingSystem, spec.name, {
    bomRef: 'image',
    version: spec.version,
    properties: properties({ 'cpushare:source-sha256': input.sourceSha256 }),
  });
  const client = clientComponent(input.client);
  const parts = sorted(input.client.parts, npmPurl).map((part) => npmComponent(part, ComponentScope.Required));
  const debs = sorted(lock.packages, ({ name }) => name).map((one) => debComponent(one, input));
  const bom = new Bom();
  bom.metadata.timestamp = new Date(lock.sourceDateEpoch * 1000);
  bom.metadata.component = image;
  bom.metadata.tools.components.add(
    new Component(ComponentType.Application, 'cpushare-live', { bomRef: 'recipe', version: input.recipe.version }),
  );
  for (const part of sorted(input.recipe.parts, npmPurl)) {
    bom.metadata.tools.components.add(npmComponent(part, undefined, `recipe:${npmPurl(part)}`));
  }
  for (const one of [client, ...parts, ...debs]) bom.components.add(one);
  for (const one of [client, ...debs]) if (one.scope !== ComponentScope.Excluded) image.dependencies.add(one.bomRef);
  for (const part of parts) client.dependencies.add(part.bomRef);
  return bom;
}

/** Bytewise. */
function sorted<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...items].sort((a, b) => Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b))));
}

function clientComponent({ version, sha256 }: SbomInput['client']): Component {
  return new Component(ComponentType.Application, 'cpushare-sell-client', {
    bomRef: 'sell-client',
    version,
    description: 'bundled to one file; what it is made of stands beside it',
    scope: ComponentScope.Required,
    hashes: new HashDictionary([[HashAlgorithm['SHA-256'], sha256]]),
    licenses: expression('Apache-2.0'),
  });
}

/** A package of which the image takes some files; the checksum is that of the whole .deb. */
function debComponent(one: LockedPackage, { spec, licences }: SbomInput): Component {
  const purl = debPurl(one, spec.suite);
  return new Component(ComponentType.Library, one.name, {
    bomRef: purl,
    purl,
    version: one.version,
    scope: one.roles.every((role) => role === 'tools') ? ComponentScope.Excluded : ComponentScope.Required,
    hashes: new HashDictionary([[HashAlgorithm['SHA-256'], one.sha256]]),
    licenses: new LicenseRepository([...new Set((licences.get(one.name) ?? []).map(spdxOrName))].map(declaredLicence)),
    properties: properties({
      'cpushare:roles': [...one.roles].sort().join(' '),
      'cpushare:debian-source': /^pool(?:\/updates)?\/[^/]+\/[^/]+\/([^/]+)\//.exec(one.path)?.[1] ?? '',
      'cpushare:archive': one.archive,
      'cpushare:path': one.path,
    }),
  });
}

function npmComponent(part: NpmPart, scope: ComponentScope | undefined, bomRef = npmPurl(part)): Component {
  const [, group, name = part.name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(part.name) ?? [];
  return new Component(ComponentType.Library, name, {
    bomRef,
    purl: npmPurl(part),
    version: part.version,
    ...(group === undefined ? {} : { group }),
    ...(scope === undefined ? {} : { scope }),
    ...(part.sha512 === undefined ? {} : { hashes: new HashDictionary([[HashAlgorithm['SHA-512'], part.sha512]]) }),
    ...(part.licence === undefined ? {} : { licenses: expression(part.licence) }),
  });
}

function declaredLicence(name: string): SpdxLicense | NamedLicense {
  const acknowledgement = LicenseAcknowledgement.Declared;
  return isSupportedSpdxId(name)
    ? new SpdxLicense(name, { acknowledgement })
    : new NamedLicense(name, { acknowledgement });
}

function expression(licence: string): LicenseRepository {
  const one = isSupportedSpdxId(licence) ? declaredLicence(licence) : new LicenseExpression(licence);
  return new LicenseRepository([one]);
}

function properties(values: Readonly<Record<string, string>>): PropertyRepository {
  return new PropertyRepository(Object.entries(values).map(([name, value]) => new Property(name, value)));
}

/** RFC 9562 version 5 (by name, SHA-1) in a namespace of ours. */
function uuidOf(content: string): string {
  const namespace = Buffer.from('6d0a3b6e2b1c5f0a9d4e7c8b1a2f3e4d', 'hex');
  const digest = createHash('sha1').update(namespace).update(content).digest().subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
