/**
 * Remembers finished build steps by what went into them: the contents that a step reads, its values, and its own code.
 * A result gets its name only when it is whole, by one rename; so what ends a build, at whatever moment, leaves nothing
 * under a name that counts. After a restart of the machine, which may lose what was not yet on disk, results are read
 * again and compared before they count.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { differences, type Inputs, NEVER_BUILT } from './step-differences.ts';
import { type Recipe, readRecipe } from './step-recipe.ts';
import { type FileContent, readTree } from './tree-hash.ts';

/** A file or folder that a step reads: its content, and where that lies now. */
export interface Artifact {
  readonly path: string;
  readonly sha256: string;
}

export interface Step {
  /** Also its place below the build folder, such as `tree/nodejs`. */
  readonly name: string;
  /** Modules below scripts/ whose code makes the result, with all that they import. */
  readonly recipe: readonly string[];
  /** The module below scripts/ where this step is declared; what it imports for other steps does not count. */
  readonly declaredIn: string;
  /** Contents it reads, by the name that a person knows them by. */
  readonly files: Readonly<Record<string, Artifact>>;
  readonly values: Inputs;
  /** Only told, by `explain`: where a file above comes from in turn. */
  readonly origins?: Inputs;
  /** Writes the result below `folder`, from `files` and `values` alone. */
  readonly make: (folder: string) => Promise<void>;
}

export interface Result {
  readonly name: string;
  readonly folder: string;
  /** Of all it holds. */
  readonly sha256: string;
  /** A file of the result. */
  readonly file: (path: string) => Artifact;
  readonly ran: boolean;
  /** Why it ran; empty when it did not. */
  readonly why: readonly string[];
  /** Of this run. */
  readonly seconds: number;
}

export interface Steps {
  /** The result as it was left when the same was built before, else newly made. */
  run(step: Step): Promise<Result>;
  /** The same without making it. */
  find(step: Step): Promise<Result | undefined>;
}

/** What lies beside a result. */
interface StepRecord {
  readonly recipe: Recipe;
  readonly files: Readonly<Record<string, string>>;
  readonly values: Inputs;
  readonly origins: Inputs;
  readonly sha256: string;
  /** All files of a small result; none of a large one. */
  readonly outputs: readonly FileContent[];
  /** The start of the machine under which the result was last seen whole. */
  readonly bootId: string;
}

/** So that going back to what was built just before costs nothing. */
const KEPT_RESULTS = 2;
const LISTED_OUTPUTS = 64;
/** Of records and checksums; another one shares no results. */
const FORMAT = 1;

/** @param bootId tells one start of the machine from another */
export async function openSteps(
  root: string,
  started: (name: string) => void,
  bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
): Promise<Steps> {
  const recipes = new Map<string, Promise<Recipe>>();
  const recipeOf = ({ recipe, declaredIn }: Step) => {
    const id = [declaredIn, ...recipe].join();
    const known = recipes.get(id) ?? readRecipe(recipe, declaredIn);
    recipes.set(id, known);
    return known;
  };
  const find = async (step: Step) => {
    const place = join(root, step.name, keyOf(step, await recipeOf(step)));
    const record = await readWhole(place, bootId);
    if (record === undefined) return undefined;
    await markUsed(place);
    return resultOf(step, place, record, { ran: false, why: [], seconds: 0 });
  };
  const make = async (step: Step) => {
    started(step.name);
    const startMs = performance.now();
    const recipe = await recipeOf(step);
    const home = join(root, step.name);
    const place = join(home, keyOf(step, recipe));
    const why = whyItRuns(await lastRecord(home), step, recipe);
    await makeRoom(home, place);
    // A name of its own: a tool that outlived a killed build still writes to that build's folder, never to this one.
    const partial = `${place}.${randomBytes(6).toString('hex')}.part`;
    await mkdir(join(partial, 'out'), { recursive: true });
    await step.make(join(partial, 'out'));
    const { sha256, files } = await readTree(join(partial, 'out'));
    const outputs = files.length <= LISTED_OUTPUTS ? files : [];
    const { values, origins = {} } = step;
    const record: StepRecord = { recipe, files: contentsOf(step), values, origins, sha256, outputs, bootId };
    await writeFile(join(partial, 'record.json'), JSON.stringify(record));
    await markUsed(partial);
    await rename(partial, place);
    return resultOf(step, place, record, { ran: true, why, seconds: (performance.now() - startMs) / 1000 });
  };
  return { find, run: async (step) => (await find(step)) ?? (await make(step)) };
}

/** A file as a step reads it; what else lies in its folder does not count. */
export async function sourceFile(path: string): Promise<Artifact> {
  return {
    path,
    sha256: createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  };
}

function keyOf(step: Step, recipe: Recipe): string {
  const parts = JSON.stringify([FORMAT, step.name, recipe, contentsOf(step), step.values]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 24);
}

/** By name, so that the order in which they were made does not count. */
function contentsOf(step: Step): Record<string, string> {
  const names = Object.keys(step.files).sort();
  return Object.fromEntries(names.map((name) => [name, step.files[name]?.sha256 ?? '']));
}

function resultOf(step: Step, place: string, record: StepRecord, run: Pick<Result, 'ran' | 'why' | 'seconds'>): Result {
  const folder = join(place, 'out');
  const file = (path: string): Artifact => {
    const found = record.outputs.find((one) => one.path === path);
    if (found === undefined) throw new Error(`the step ${step.name} does not make ${path}`);
    return { path: join(folder, path), sha256: found.sha256 };
  };
  return { name: step.name, folder, sha256: record.sha256, file, ...run };
}

/** Undefined when there is none, and when it turns out to be damaged: then it is taken away. */
async function readWhole(place: string, bootId: string): Promise<StepRecord | undefined> {
  const text = await readFile(join(place, 'record.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  const sameStart = record?.bootId === bootId;
  if (record !== undefined && (sameStart ? await isThere(place, record) : await isUnchanged(place, record))) {
    if (!sameStart) await rewrite(join(place, 'record.json'), JSON.stringify({ ...record, bootId }));
    return record;
  }
  await takeAway(place);
  return undefined;
}

function parseRecord(text: string): StepRecord | undefined {
  try {
    return JSON.parse(text) as StepRecord;
  } catch {
    return undefined;
  }
}

async function isThere(place: string, { outputs }: StepRecord): Promise<boolean> {
  for (const { path, sizeBytes } of outputs) {
    const found = await stat(join(place, 'out', path)).catch(() => undefined);
    if (found?.size !== sizeBytes) return false;
  }
  return true;
}

async function isUnchanged(place: string, record: StepRecord): Promise<boolean> {
  const found = await readTree(join(place, 'out')).catch(() => undefined);
  return found?.sha256 === record.sha256;
}

async function rewrite(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  await writeFile(partial, text);
  await rename(partial, path);
}

/** Always by our own clock: the file system's lags a few milliseconds behind. */
async function markUsed(place: string): Promise<void> {
  await utimes(join(place, 'record.json'), new Date(), new Date());
}

async function lastRecord(home: string): Promise<StepRecord | undefined> {
  const [last] = await finishedIn(home);
  if (last === undefined) return undefined;
  return readFile(join(last, 'record.json'), 'utf8').then(parseRecord, () => undefined);
}

/** Folders of finished results, the last used first. */
async function finishedIn(home: string): Promise<string[]> {
  const names = await readdir(home).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const record = await stat(join(home, name, 'record.json')).catch(() => undefined);
      return name.endsWith('.part') || record === undefined ? [] : [{ name, usedMs: record.mtimeMs }];
    }),
  );
  return found
    .flat()
    .sort((a, b) => b.usedMs - a.usedMs)
    .map(({ name }) => join(home, name));
}

function whyItRuns(last: StepRecord | undefined, step: Step, recipe: Recipe): string[] {
  if (last === undefined) return [NEVER_BUILT];
  const inputs = differences({ ...last.files, ...last.values }, { ...contentsOf(step), ...step.values });
  const code = differences(last.recipe, recipe);
  const origins = inputs.length === 0 ? [] : differences(last.origins ?? {}, step.origins ?? {});
  const why = [...inputs, ...origins, ...code];
  return why.length === 0 ? ['its last result was damaged or taken away'] : why;
}

/** Takes away what killed builds left, and all results but the last used. */
async function makeRoom(home: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  const kept = (await finishedIn(home)).slice(0, KEPT_RESULTS - 1).map((path) => basename(path));
  for (const name of await readdir(home)) {
    if (!kept.includes(name)) await takeAway(join(home, name));
  }
}

/** First its name, then its files: half a result never lies under a name that counts. */
async function takeAway(place: string): Promise<void> {
  const gone = place.endsWith('.part') ? place : `${place}.${randomBytes(6).toString('hex')}.part`;
  if (gone !== place) await rename(place, gone);
  await rm(gone, { recursive: true, force: true, maxRetries: 5 });
}
