import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readImageSpec } from './image-spec.ts';
import { readAnyLock } from './lock-file.ts';
import { projectRoot } from './project.ts';
import { formatSbom, type SbomInput } from './sbom.ts';

let input: SbomInput;
let isBom: ValidateFunction;
beforeAll(async () => {
  input = {
    spec: await readImageSpec(join(projectRoot, 'image/image.json')),
    lock: await readAnyLock(join(projectRoot, 'image/image.lock.json')),
    licences: new Map([['kmod', ['LGPL-2.1+', 'Expat or Artistic']]]),
    client: {
      version: '1.2.3',
      sha256: 'ab'.repeat(32),
      parts: [
        { name: '@scope/part', version: '2.0.0', licence: '(MIT OR Apache-2.0)', sha512: 'cd'.repeat(64) },
        { name: 'tpm2-ts', version: '0.1.0', licence: 'Apache-2.0' },
      ],
    },
    recipe: { version: '1.2.3', parts: [{ name: '@scope/part', version: '2.0.0' }] },
    sourceSha256: 'ef'.repeat(32),
  };
  isBom = await officialSchema();
});

/** CycloneDX's own JSON Schema, as its library ships it. */
async function officialSchema(): Promise<ValidateFunction> {
  const folder = join(projectRoot, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');
  const schema = async (name: string) =>
    JSON.parse(await readFile(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8')) as { $id: string };
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'iri-reference': true, 'idn-email': true } });
  formats.default(ajv);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(await schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(await schema('bom-1.6'));
}

interface Bom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly purl?: string;
    readonly scope: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses?: readonly unknown[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}
const bomOf = (from: SbomInput) => JSON.parse(formatSbom(from)) as Bom;

describe('the bill of materials', () => {
  it('is valid by the official schema', () => {
    expect(isBom(bomOf(input)), JSON.stringify(isBom.errors)).toBe(true);
    const broken = { ...bomOf(input), components: [{ type: 'library', version: '1' }] };
    expect(isBom(broken), 'a component without a name').toBe(false);
  });

  it('names every package of the lock with its checksum, and marks those that only build', () => {
    const { components } = bomOf(input);
    for (const one of input.lock.packages) {
      const found = components.filter(({ name, purl }) => name === one.name && purl?.startsWith('pkg:deb/debian/'));
      expect(found, one.name).toHaveLength(1);
      expect(found[0]?.hashes).toEqual([{ alg: 'SHA-256', content: one.sha256 }]);
      expect(found[0]?.scope).toBe(one.roles.every((role) => role === 'tools') ? 'excluded' : 'required');
    }
    const kmod = components.find(({ name }) => name === 'kmod');
    const version = input.lock.packages.find(({ name }) => name === 'kmod')?.version;
    expect(kmod?.purl).toBe(`pkg:deb/debian/kmod@${version}?arch=amd64&distro=trixie`);
    expect(components.find(({ name }) => name === 'ca-certificates')?.purl).toMatch(/\?arch=all&distro=trixie$/);
  });

  it('names the sell client, its npm packages and what depends on what', () => {
    const { components, dependencies } = bomOf(input);
    const part = components.find(({ purl }) => purl === 'pkg:npm/%40scope/part@2.0.0');
    expect(part).toMatchObject({ hashes: [{ alg: 'SHA-512' }], licenses: [{ expression: '(MIT OR Apache-2.0)' }] });
    expect(dependencies.find(({ ref }) => ref === 'sell-client')?.dependsOn).toEqual(
      ['pkg:npm/%40scope/part@2.0.0', 'pkg:npm/tpm2-ts@0.1.0'].sort(),
    );
    const image = dependencies.find(({ ref }) => ref === 'image')?.dependsOn ?? [];
    expect(image).toContain('sell-client');
    expect(image.some((ref) => ref.includes('/xorriso@'))).toBe(false);
  });

  it('tells licences as declared, by SPDX identifier where there is one', () => {
    const kmod = bomOf(input).components.find(({ name }) => name === 'kmod');
    expect(kmod?.licenses).toEqual([
      { license: { id: 'LGPL-2.1-or-later', acknowledgement: 'declared' } },
      { license: { name: 'Expat or Artistic', acknowledgement: 'declared' } },
    ]);
  });

  it('is a function of its input: the same text whatever the order, another serial number for other content', () => {
    const packages = [...input.lock.packages].reverse();
    const parts = [...input.client.parts].reverse();
    const shuffled = { ...input, lock: { ...input.lock, packages }, client: { ...input.client, parts } };
    expect(formatSbom(shuffled)).toBe(formatSbom(input));
    const byLocale = vi.spyOn(String.prototype, 'localeCompare');
    formatSbom(input);
    expect(byLocale).not.toHaveBeenCalled();
    const { serialNumber, metadata } = bomOf(input);
    expect(metadata.timestamp).toBe(new Date(input.lock.sourceDateEpoch * 1000).toISOString());
    expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(bomOf({ ...input, sourceSha256: '00'.repeat(32) }).serialNumber).not.toBe(serialNumber);
  });
});
