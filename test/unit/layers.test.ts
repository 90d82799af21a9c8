/** Imports go one way (ARCHITECTURE.md). The table below is the rule; this test reads every import of the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Which of our layers a layer may import from, besides itself. */
const allowed: Record<string, readonly string[]> = {
  'packages/tpm2-ts': [],
  'src/shared': [],
  'src/attest': ['packages/tpm2-ts', 'src/shared'],
  'src/protocol': ['packages/tpm2-ts', 'src/shared', 'src/attest'],
  'src/sell-client': ['packages/tpm2-ts', 'src/shared', 'src/attest', 'src/protocol'],
  'src/broker': ['packages/tpm2-ts', 'src/shared', 'src/attest', 'src/protocol'],
  'src/page': ['packages/tpm2-ts', 'src/shared', 'src/attest', 'src/protocol'],
  'src/buy-client': ['packages/tpm2-ts', 'src/shared', 'src/attest', 'src/protocol'],
  scripts: ['packages/tpm2-ts', 'src/shared', 'src/attest', 'src/protocol'],
  'src/cli': [
    'packages/tpm2-ts',
    'src/shared',
    'src/attest',
    'src/protocol',
    'src/sell-client',
    'src/broker',
    'src/buy-client',
    'scripts',
  ],
};

const layerOf = (path: string) => Object.keys(allowed).find((layer) => path.startsWith(`${layer}/`));
const isTest = (path: string) => path.endsWith('.test.ts') || path.includes('/testing/');

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s[^'"]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm,
  );
  return [...statements].map((match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? '' }));
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !/(^|\/)(node_modules|dist)\//.test(path))
    .map((path) => join(folder, path));
}

const files = ['src', 'scripts', 'packages'].flatMap(sourcesBelow).filter((file) => !isTest(file));
const imports = files.flatMap(importsOf);

describe('imports go one way', () => {
  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it.each(Object.keys(allowed))('%s imports only from the layers below it', (layer) => {
    const wrong = imports
      .filter(({ file }) => layerOf(file) === layer)
      .flatMap(({ file, specifier }) => {
        const target = specifier.startsWith('.')
          ? layerOf(normalize(join(dirname(file), specifier)))
          : specifier.startsWith('tpm2-ts')
            ? 'packages/tpm2-ts'
            : layer;
        return target === layer || (target !== undefined && allowed[layer]?.includes(target))
          ? []
          : [`${file} → ${specifier}`];
      });
    expect(wrong).toEqual([]);
  });

  it.each(['src/attest', 'src/page'])(
    '%s runs in a browser: node: modules only in adapters named *-node.ts',
    (layer) => {
      const builtin = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
      const wrong = imports
        .filter(
          ({ file, specifier }) => file.startsWith(`${layer}/`) && !file.endsWith('-node.ts') && builtin.has(specifier),
        )
        .map(({ file, specifier }) => `${file} → ${specifier}`);
      expect(wrong).toEqual([]);
    },
  );

  it('tpm2-ts depends on nothing but Node.js', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages/tpm2-ts/package.json'), 'utf8')) as {
      dependencies?: object;
    };
    expect(manifest.dependencies).toBeUndefined();
    const outside = imports.filter(
      ({ file, specifier }) => file.startsWith('packages/') && !/^(\.|node:)/.test(specifier),
    );
    expect(outside).toEqual([]);
  });
});
