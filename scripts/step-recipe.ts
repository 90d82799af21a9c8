/**
 * What a step's own code consists of: the modules that it names, all that these import (types left out), and the npm
 * packages among them with theirs. So a change of one step's code makes that step anew and no other.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './project.ts';

/** By what a person would call it: the checksum of each source, the version of each package. */
export type Recipe = Readonly<Record<string, string>>;

/**
 * @param modules below scripts/, such as `esp.ts`
 * @param alone a module of which only its own text counts
 */
export async function readRecipe(modules: readonly string[], alone: string, root = projectRoot): Promise<Recipe> {
  const found = new Map<string, string>();
  const visitPackage = async (name: string, from: string): Promise<void> => {
    const folder = await packageFolder(name, from, root);
    const { version, dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    if (found.has(`npm ${name}`)) return;
    found.set(`npm ${name}`, String(version));
    for (const needed of Object.keys(dependencies)) await visitPackage(needed, folder);
  };
  const visit = async (path: string): Promise<void> => {
    const name = relative(root, path);
    if (found.has(name)) return;
    const { text, sha256 } = await sourceOf(path);
    found.set(name, sha256);
    for (const imported of importsOf(text)) {
      if (imported.startsWith('.')) await visit(join(dirname(path), imported));
      else if (!imported.startsWith('node:')) await visitPackage(packageName(imported), dirname(path));
    }
  };
  for (const module of modules) await visit(join(root, 'scripts', module));
  found.set(`scripts/${alone}`, (await sourceOf(join(root, 'scripts', alone))).sha256);
  if (await isStale([...found.keys()], root))
    found.set('compiled program', await sha256OfCompiled([...modules, alone], root));
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function sourceOf(path: string): Promise<{ readonly text: string; readonly sha256: string }> {
  const text = await readFile(path, 'utf8');
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
}

/** What a module loads when it runs: `import type` and `export type` leave nothing behind. */
export function importsOf(source: string): string[] {
  const found = source.matchAll(/^(?:import|export)\s(?!type\s)(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm);
  return [...found].map((match) => match[1] ?? '');
}

function packageName(imported: string): string {
  return imported
    .split('/')
    .slice(0, imported.startsWith('@') ? 2 : 1)
    .join('/');
}

async function packageFolder(name: string, from: string, root: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (await exists(join(candidate, 'package.json'))) return candidate;
    if (folder === root || folder === dirname(folder)) throw new Error(`the npm package ${name} is not installed`);
  }
}

const compiledFolder = (root: string) => join(root, 'dist/js');
const isCompiled = (root: string) => fileURLToPath(import.meta.url).startsWith(`${compiledFolder(root)}/`);

/**
 * A compiled program older than its sources must not leave results under their checksum. While it is as new as they are,
 * it shares its results with a test that runs from source.
 */
async function isStale(names: readonly string[], root: string): Promise<boolean> {
  if (!isCompiled(root)) return false;
  const checkedMs = await modifiedMs(join(compiledFolder(root), 'tsconfig.tsbuildinfo'));
  for (const name of names.filter((one) => one.endsWith('.ts'))) {
    if ((await modifiedMs(join(root, name))) > checkedMs) return true;
  }
  return false;
}

async function sha256OfCompiled(modules: readonly string[], root: string): Promise<string> {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await readFile(path, 'utf8');
    hash.update(`${relative(root, path)}\0`).update(text);
    for (const one of importsOf(text)) if (one.startsWith('.')) await visit(join(dirname(path), one));
  };
  for (const module of modules) await visit(join(compiledFolder(root), 'scripts', module.replace(/\.ts$/, '.js')));
  return hash.digest('hex');
}

async function modifiedMs(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
