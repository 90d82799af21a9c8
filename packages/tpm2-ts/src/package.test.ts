/** The package's doors: one for each module, and none that leads a browser to Node.js. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildFailure, build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const doors = Object.keys(manifest.exports).flatMap((door) => /^\.\/([a-z0-9-]+)$/.exec(door)?.[1] ?? []);

/** Modules without a door: parts of others. */
const INTERNAL = ['auth-session', 'byte-io', 'command-queue', 'session-area', 'session-protection'];
/** The only ones that need Node.js; everything else runs in a browser. */
const NEEDS_NODE = [
  'attester',
  'crypto-node',
  'digest-node',
  'make-credential-node',
  'transport-device',
  'transport-swtpm',
];

/** Bundles these modules as for a browser; what a browser cannot have is an error. */
async function bundled(modules: readonly string[]): Promise<{ readonly bytes: number } | { readonly error: string }> {
  const contents = modules.map((name) => `export * as _${name.replaceAll('-', '_')} from './${name}.ts';`).join('\n');
  try {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      minify: true,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
    });
    const text = outputFiles[0]?.text ?? '';
    if (/["'`]node:/.test(text)) return { error: 'node: is left in the bundle' };
    return { bytes: text.length };
  } catch (failure) {
    return { error: (failure as BuildFailure).errors.map(({ text }) => text).join('\n') };
  }
}

describe('the doors of the package', () => {
  it('are all modules but the internal ones', () => {
    const files = readdirSync(join(root, 'src')).filter((file) => file.endsWith('.ts') && !file.includes('.test.'));
    const modules = files.map((file) => file.slice(0, -3));
    expect([...doors, ...INTERNAL].sort()).toEqual(modules.sort());
  });

  it.each(doors)('%s has source, types and code', (door) => {
    expect(manifest.exports[`./${door}`]).toEqual({
      source: `./src/${door}.ts`,
      types: `./dist/${door}.d.ts`,
      default: `./dist/${door}.js`,
    });
  });

  it('ask for no other package', () => {
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
      expect(manifest[kind]).toBeUndefined();
    }
  });
});

describe('in a browser', () => {
  it('everything runs but what is named here', async () => {
    const free = doors.filter((door) => !NEEDS_NODE.includes(door));
    expect(free.length).toBeGreaterThan(30);
    const result = await bundled(free);
    expect(result).toEqual({ bytes: expect.any(Number) });
  });

  it.each(NEEDS_NODE)('%s does not, and is rightly named', async (door) => {
    expect(await bundled([door])).toEqual({ error: expect.stringContaining('node:') });
  });
});

it('has the licence of the project', () => {
  expect(readFileSync(join(root, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, '../../LICENSE'), 'utf8'));
});
