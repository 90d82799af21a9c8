import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { readImageSpec } from './image-spec.ts';
import { readAnyLock } from './lock-file.ts';
import { projectRoot } from './project.ts';
import { formatProvenance, type ProvenanceInput } from './provenance.ts';

let input: ProvenanceInput;
beforeAll(async () => {
  input = {
    spec: await readImageSpec(join(projectRoot, 'image/image.json')),
    lock: await readAnyLock(join(projectRoot, 'image/image.lock.json')),
    lockSha256: '11'.repeat(32),
    sourceSha256: '22'.repeat(32),
    npmParts: [
      { name: 'tar-stream', version: '3.2.2', sha512: '33'.repeat(64) },
      { name: 'execa', version: '9.6.1', sha512: '44'.repeat(64) },
      { name: 'execa', version: '9.6.1', sha512: '44'.repeat(64) },
      { name: 'tpm2-ts', version: '0.1.0' },
    ],
    projectVersion: '0.1.0',
    subjects: [{ name: 'cpushare-seller.iso', sha256: '55'.repeat(32) }],
  };
});

/** The fields and types that in-toto Statement v1 and SLSA Provenance v1 demand (neither ships a JSON Schema). */
const uri = { type: 'string', format: 'uri' };
const digest = { type: 'object', minProperties: 1, additionalProperties: { type: 'string', pattern: '^[0-9a-f]+$' } };
const text = { type: 'string' };
const descriptor = {
  type: 'object',
  additionalProperties: false,
  properties: { name: text, uri, digest, mediaType: text, downloadLocation: uri, annotations: { type: 'object' } },
  anyOf: [{ required: ['uri'] }, { required: ['digest'] }],
};
const statementSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['_type', 'subject', 'predicateType', 'predicate'],
  properties: {
    _type: { const: 'https://in-toto.io/Statement/v1' },
    subject: { type: 'array', minItems: 1, items: { ...descriptor, required: ['digest'] } },
    predicateType: { const: 'https://slsa.dev/provenance/v1' },
    predicate: {
      type: 'object',
      additionalProperties: false,
      required: ['buildDefinition', 'runDetails'],
      properties: {
        buildDefinition: {
          type: 'object',
          additionalProperties: false,
          required: ['buildType', 'externalParameters'],
          properties: {
            buildType: uri,
            externalParameters: { type: 'object' },
            internalParameters: { type: 'object' },
            resolvedDependencies: { type: 'array', items: descriptor },
          },
        },
        runDetails: {
          type: 'object',
          additionalProperties: false,
          required: ['builder'],
          properties: {
            builder: {
              type: 'object',
              additionalProperties: false,
              required: ['id'],
              properties: { id: uri, version: { type: 'object', additionalProperties: text } },
            },
            metadata: { type: 'object' },
            byproducts: { type: 'array', items: descriptor },
          },
        },
      },
    },
  },
};

interface Dependency {
  readonly name?: string;
  readonly uri?: string;
  readonly digest: Readonly<Record<string, string>>;
}

function dependenciesOf(from: ProvenanceInput): readonly Dependency[] {
  const statement = JSON.parse(formatProvenance(from)) as {
    predicate: { buildDefinition: { resolvedDependencies: Dependency[] } };
  };
  return statement.predicate.buildDefinition.resolvedDependencies;
}

describe('the provenance', () => {
  it('is an in-toto statement with a SLSA predicate', () => {
    const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false });
    formats.default(ajv);
    const isStatement = ajv.compile(statementSchema);
    const statement = JSON.parse(formatProvenance(input)) as { subject: unknown[] };
    expect(isStatement(statement), JSON.stringify(isStatement.errors)).toBe(true);
    expect(statement.subject).toEqual([{ name: 'cpushare-seller.iso', digest: { sha256: '55'.repeat(32) } }]);
    expect(isStatement({ ...statement, subject: [] })).toBe(false);
  });

  it('names each package of the lock, the lock, the source, and each npm package once', () => {
    const found = dependenciesOf(input);
    for (const one of input.lock.packages) {
      const named = found.filter(({ uri }) => uri?.startsWith(`pkg:deb/debian/${encodeURIComponent(one.name)}@`));
      expect(
        named.map((each) => each.digest),
        one.name,
      ).toEqual([{ sha256: one.sha256 }]);
    }
    expect(found.find(({ name }) => name === 'image.lock.json')?.digest).toEqual({ sha256: '11'.repeat(32) });
    expect(found.find(({ name }) => name === 'source.json')?.digest).toEqual({ sha256: '22'.repeat(32) });
    const npm = found.flatMap(({ uri }) => (uri?.startsWith('pkg:npm/') === true ? [uri] : []));
    expect(npm).toEqual(['pkg:npm/execa@9.6.1', 'pkg:npm/tar-stream@3.2.2']);
  });

  it('is the same whatever the order of its input', () => {
    const packages = [...input.lock.packages].reverse();
    const npmParts = [...input.npmParts].reverse();
    expect(formatProvenance({ ...input, npmParts, lock: { ...input.lock, packages } })).toBe(formatProvenance(input));
  });
});
