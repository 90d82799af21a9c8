/**
 * Composes the live root from unpacked packages, staged kernel modules, the sell client and the overlay, in two layers:
 * what Debian brings, and what we put over it. The second is small and changes often. Runs nothing.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import mustache from 'mustache';
import { CodedError } from '../src/shared/errors.ts';
import type { TreeEntry } from './deb.ts';
import { type Available, followLinks, LIBRARY_FOLDER, libraryClosure } from './elf-closure.ts';
import { chooseFirmware, FIRMWARE_FOLDER } from './firmware.ts';
import { globToRegExp } from './glob.ts';
import { ICU_DATA_LIBRARY, keepIcuItems } from './icu-data.ts';
import type { ImageSpec } from './image-spec.ts';
import { baseEntries, factEntries, HOSTNAME, type RootEntry, text } from './root-entry.ts';
import { mergeEntries, upperLayer } from './root-tar.ts';
import { falseProgram, systemInit } from './tiny-init/system-init.ts';
import { vmwareBackdoor } from './vmware-backdoor.ts';

export class RootfsError extends CodedError<'FILES_NOT_FOUND' | 'CA_BUNDLE_EMPTY'> {}

export interface UnpackedPackage {
  readonly name: string;
  readonly folder: string;
  readonly entries: readonly TreeEntry[];
}

export interface BaseLayerInput {
  readonly spec: Pick<ImageSpec, 'files' | 'libraries' | 'icuData' | 'links' | 'firmware'>;
  /** Those of the role `root`. */
  readonly packages: readonly UnpackedPackage[];
  /** From stageKernelModules. */
  readonly modulesFolder: string;
  /** Names that those modules ask for. */
  readonly namedFirmware: readonly string[];
}

/** Programs, their libraries and the kernel modules; sorted and complete. @throws RootfsError, ClosureError, IcuDataError, RootError */
export async function composeBase(input: BaseLayerInput): Promise<RootEntry[]> {
  const { spec, packages } = input;
  const available = availableFiles(packages);
  const chosen = chosenFiles(spec, packages);
  const extra = spec.libraries.flatMap(
    (name) => followLinks(`${LIBRARY_FOLDER}/${name}`, available) ?? notFound('libc6', name),
  );
  // Some firmware is ELF too, of other processors.
  const programs = chosen.filter((path) => !path.startsWith(`${FIRMWARE_FOLDER}/`));
  const libraries = await libraryClosure([...programs, ...extra], available);
  const firmware = chooseFirmware(
    input.namedFirmware,
    availableFiles(packages.filter(({ name }) => spec.firmware?.packages.includes(name))),
    spec.firmware?.leaveOut ?? [],
  );
  const paths = [...new Set([...chosen, ...extra, ...libraries, ...firmware])];
  const fromPackages = await withLeanIcu(
    paths.map((path) => entryAt(path, packages)),
    spec.icuData,
  );
  return mergeEntries([
    { overlay: false, entries: fromPackages },
    { overlay: false, entries: baseEntries(spec, await caBundle(packages)) },
    { overlay: false, entries: await filesBelow(input.modulesFolder) },
  ]);
}

export interface AgentLayerInput {
  readonly spec: Pick<
    ImageSpec,
    'name' | 'version' | 'suite' | 'accounts' | 'kernelCommandLine' | 'debugShell' | 'defaultBroker'
  >;
  readonly kernelVersion: string;
  /** The bundled sell client, one file. */
  readonly sellClient: string;
  /** image/rootfs, and a flavour's own over it. */
  readonly overlays: readonly string[];
  readonly sourceDateEpoch: number;
  /** What it will lie over: only paths, kinds and modes are looked at. */
  readonly base: readonly RootEntry[];
}

/** The sell client, facts of this image and the overlay. Nothing but the overlay may hide a file of the base. @throws RootError */
export async function composeAgent(input: AgentLayerInput): Promise<RootEntry[]> {
  const merged = mergeEntries([
    { overlay: false, entries: input.base },
    { overlay: false, entries: factEntries(input.spec) },
    { overlay: false, entries: sellClientEntries(input.sellClient) },
    { overlay: false, entries: await programEntries(input) },
    ...(await Promise.all(input.overlays.map((folder) => overlayLayer(folder, input)))),
  ]);
  return upperLayer(merged, input.base);
}

function availableFiles(packages: readonly UnpackedPackage[]): Available {
  const available = new Map<string, { source: string } | { target: string }>();
  for (const { folder, entries } of packages) {
    for (const entry of entries) {
      if (entry.kind === 'file') available.set(entry.path, { source: join(folder, entry.path) });
      if (entry.kind === 'link') available.set(entry.path, { target: entry.target });
    }
  }
  return available;
}

function chosenFiles(spec: Pick<ImageSpec, 'files'>, packages: readonly UnpackedPackage[]): string[] {
  return Object.entries(spec.files).flatMap(([name, globs]) =>
    globs.flatMap((glob) => {
      const pattern = globToRegExp(glob);
      const entries = packages.find((one) => one.name === name)?.entries ?? [];
      const found = entries.filter((entry) => entry.kind !== 'folder' && pattern.test(entry.path));
      return found.length > 0 ? found.map((entry) => entry.path) : notFound(name, glob);
    }),
  );
}

function notFound(packageName: string, what: string): never {
  throw new RootfsError('FILES_NOT_FOUND', `the locked ${packageName} holds no ${what}`, {
    nextStep: 'correct files or libraries in image/image.json and run: npx cpushare image lock',
  });
}

function entryAt(path: string, packages: readonly UnpackedPackage[]): RootEntry {
  for (const { folder, entries } of packages) {
    const entry = entries.find((one) => one.path === path);
    if (entry?.kind === 'link') return entry;
    if (entry?.kind === 'file') return { ...entry, content: { file: join(folder, path) } };
  }
  return notFound('set of packages', path);
}

/** Node.js brings 32 MB of ICU data, of which the sell client needs one language and no foreign character sets. */
async function withLeanIcu(entries: readonly RootEntry[], items: readonly string[]): Promise<RootEntry[]> {
  return Promise.all(
    entries.map(async (entry) => {
      if (entry.kind !== 'file' || !ICU_DATA_LIBRARY.test(basename(entry.path))) return entry;
      const { content } = entry;
      return { ...entry, content: keepIcuItems('file' in content ? await readFile(content.file) : content, items) };
    }),
  );
}

/** As update-ca-certificates makes it: every certificate of the package, in the order of their names. */
async function caBundle(packages: readonly UnpackedPackage[]): Promise<Uint8Array> {
  const certificates = packages.find((one) => one.name === 'ca-certificates');
  const paths = (certificates?.entries ?? [])
    .filter((entry) => entry.kind === 'file' && /^usr\/share\/ca-certificates\/mozilla\/.*\.crt$/.test(entry.path))
    .map((entry) => entry.path)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (certificates === undefined || paths.length === 0) {
    throw new RootfsError('CA_BUNDLE_EMPTY', 'the locked packages bring no CA certificates');
  }
  const parts = await Promise.all(paths.map((path) => readFile(join(certificates.folder, path), 'utf8')));
  return new TextEncoder().encode(parts.map((part) => `${part.trimEnd()}\n`).join(''));
}

function sellClientEntries(bundle: string): RootEntry[] {
  // An ES module, as image/rootfs's package.json beside it says.
  return [{ kind: 'file', path: 'usr/lib/cpushare/sell-client.js', executable: false, content: { file: bundle } }];
}

/** PID 1, and the program that does nothing: both made here. */
async function programEntries({ overlays, spec }: AgentLayerInput): Promise<RootEntry[]> {
  const kernelSettings = await readFile(join(overlays[0] ?? '', 'etc/sysctl.conf'), 'utf8');
  const program = (path: string, content: Uint8Array): RootEntry => ({ kind: 'file', path, executable: true, content });
  return [
    program(
      'usr/lib/cpushare/init',
      systemInit({ kernelSettings, hostname: HOSTNAME, debugShell: spec.debugShell ?? false }),
    ),
    program('usr/bin/false', falseProgram()),
    program('usr/lib/cpushare/vmware-backdoor', vmwareBackdoor()),
  ];
}

async function filesBelow(folder: string): Promise<RootEntry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile())
    .map((one) => {
      const file = join(one.parentPath, one.name);
      return { kind: 'file', path: file.slice(folder.length + 1), executable: false, content: { file } };
    });
}

async function overlayLayer(folder: string, input: AgentLayerInput) {
  const values = {
    imageName: input.spec.name,
    imageVersion: input.spec.version,
    debug: String(input.spec.debugShell ?? false),
    commandLine: JSON.stringify(input.spec.kernelCommandLine.join(' ')),
    kernelVersion: input.kernelVersion,
    sourceDateEpoch: input.sourceDateEpoch,
  };
  const entries: RootEntry[] = [];
  for (const entry of await filesBelow(folder)) {
    if (entry.kind !== 'file' || entry.content instanceof Uint8Array) continue;
    const executable = ((await stat(entry.content.file)).mode & 0o100) !== 0;
    if (!entry.path.endsWith('.mustache')) entries.push({ ...entry, executable });
    else {
      const rendered = mustache.render(await readFile(entry.content.file, 'utf8'), values);
      entries.push({ ...text(entry.path.slice(0, -'.mustache'.length), rendered), executable });
    }
  }
  return { overlay: true, entries };
}
