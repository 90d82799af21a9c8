/**
 * The chosen kernel modules with all they need, uncompressed as the kernel and IMA see them, with the indexes that
 * modprobe reads. What depends on what comes from the locked depmod, run once over all modules and once over the chosen.
 */
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import type { Tools } from './tools.ts';

export class ModuleError extends CodedError<'MODULE_UNKNOWN' | 'KERNEL_UNCLEAR'> {}

export interface KernelModulesInput {
  /** The unpacked kernel package. */
  readonly kernelFolder: string;
  readonly wanted: readonly string[];
  /** New folder; gets usr/lib/modules/VERSION/… */
  readonly output: string;
}

export interface KernelModules {
  readonly version: string;
  /** Paths below the output folder, sorted. */
  readonly modules: readonly string[];
}

/** The host's /etc/depmod.d could prefer other modules. */
const NO_SETTINGS = ['-C', '/dev/null'];

/** @throws ModuleError, ToolError */
export async function stageKernelModules(input: KernelModulesInput, tools: Tools): Promise<KernelModules> {
  const version = await kernelVersion(input.kernelFolder);
  const all = join(input.kernelFolder, 'usr/lib/modules', version);
  // depmod writes beside what it reads, so it gets a folder of its own with the same files.
  const scratch = `${input.output}.all`;
  await rm(scratch, { recursive: true, force: true });
  await cp(all, join(scratch, 'usr/lib/modules', version), { recursive: true, mode: 0 });
  await tools.run('depmod', [...NO_SETTINGS, '-b', scratch, '-m', '/usr/lib/modules', version]);
  const index = await readIndex(join(scratch, 'usr/lib/modules', version));
  const chosen = moduleClosure(input.wanted, index);

  const target = join(input.output, 'usr/lib/modules', version);
  for (const path of chosen) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await cp(join(all, path), join(target, path));
  }
  const compressed = chosen.filter((path) => path.endsWith('.xz')).map((path) => join(target, path));
  if (compressed.length > 0) await tools.run('xz', ['-d', '-T0', ...compressed]);
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo']) {
    await cp(join(all, name), join(target, name));
  }
  await tools.run('depmod', [...NO_SETTINGS, '-b', input.output, '-m', '/usr/lib/modules', version]);
  await rm(scratch, { recursive: true, force: true });
  const modules = chosen.map((path) => posix.join('usr/lib/modules', version, path.replace(/\.xz$/, '')));
  return { version, modules: modules.sort() };
}

async function kernelVersion(folder: string): Promise<string> {
  const versions = await readdir(join(folder, 'usr/lib/modules'));
  const [version] = versions;
  if (version === undefined || versions.length > 1) {
    throw new ModuleError('KERNEL_UNCLEAR', `the kernel package holds modules of ${versions.length} kernels`);
  }
  return version;
}

/** modules.dep, modules.softdep, modules.alias and modules.builtin as depmod(8) writes them. */
export interface ModuleIndex {
  /** By path: the paths it needs. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  readonly softNeeds: ReadonlyMap<string, readonly string[]>;
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly builtin: ReadonlySet<string>;
}

async function readIndex(folder: string): Promise<ModuleIndex> {
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return parseIndex({
    dep: await read('modules.dep'),
    softdep: await read('modules.softdep'),
    alias: await read('modules.alias'),
    builtin: await read('modules.builtin'),
  });
}

export function parseIndex(text: { dep: string; softdep: string; alias: string; builtin: string }): ModuleIndex {
  const words = (lines: string) => lines.split('\n').map((line) => line.trim().split(/\s+/));
  const needs = new Map<string, readonly string[]>();
  for (const [path = '', ...rest] of words(text.dep)) if (path.endsWith(':')) needs.set(path.slice(0, -1), rest);
  const softNeeds = new Map<string, string[]>();
  for (const [keyword, name = '', ...rest] of words(text.softdep)) {
    if (keyword !== 'softdep') continue;
    const wanted = rest.filter((word) => word !== 'pre:' && word !== 'post:');
    softNeeds.set(plain(name), [...(softNeeds.get(plain(name)) ?? []), ...wanted]);
  }
  const aliases = new Map<string, string[]>();
  for (const [keyword, alias = '', name = ''] of words(text.alias)) {
    if (keyword === 'alias') aliases.set(plain(alias), [...(aliases.get(plain(alias)) ?? []), name]);
  }
  const builtin = new Set(text.builtin.split('\n').map(moduleName));
  return { needs, softNeeds, aliases, builtin };
}

/** Paths, sorted. A name that is built into the kernel needs nothing. @throws ModuleError MODULE_UNKNOWN */
export function moduleClosure(wanted: readonly string[], index: ModuleIndex): string[] {
  const byName = new Map([...index.needs.keys()].map((path) => [moduleName(path), path]));
  const chosen = new Set<string>();
  const add = (path: string) => {
    if (chosen.has(path)) return;
    chosen.add(path);
    for (const needed of index.needs.get(path) ?? []) add(needed);
    for (const soft of index.softNeeds.get(moduleName(path)) ?? []) {
      // A soft dependency names a module or an alias; one that this kernel does not have is no fault.
      for (const name of [soft, ...(index.aliases.get(plain(soft)) ?? [])]) {
        const found = byName.get(plain(name));
        if (found !== undefined) add(found);
      }
    }
  };
  for (const name of wanted) {
    const path = byName.get(plain(name));
    if (path !== undefined) add(path);
    else if (!index.builtin.has(plain(name))) {
      throw new ModuleError('MODULE_UNKNOWN', `the locked kernel has no module named ${name}`, {
        nextStep: 'correct kernelModules in image/image.json and run: npx cpushare image lock',
      });
    }
  }
  return [...chosen].sort();
}

/** `kernel/net/8021q/8021q.ko.xz` → `8021q`. */
function moduleName(path: string): string {
  return plain(posix.basename(path).replace(/\.ko(\.xz)?$/, ''));
}

/** The kernel takes `-` and `_` in module names as the same. */
function plain(name: string): string {
  return name.replaceAll('-', '_');
}
