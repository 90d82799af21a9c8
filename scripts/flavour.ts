/**
 * `image/flavours/NAME.json`: an image beside the default, told by what it adds to image.json and takes out of it. A
 * flavour has a name, a lock, reference values and build folders of its own; what both hold is written once.
 */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { CodedError } from '../src/shared/errors.ts';
import { ImageSpec } from './image-spec.ts';

export class FlavourError extends CodedError<'FLAVOUR_UNKNOWN' | 'FLAVOUR_UNREADABLE' | 'FLAVOUR_INVALID'> {}

const strict = { additionalProperties: false } as const;
const {
  components,
  packages,
  files,
  libraries,
  links,
  firmware,
  kernelModules,
  kernelCommandLine,
  accounts,
  budgets,
  debugShell,
} = ImageSpec.properties;
const { boot, root, tools, leaveOut } = packages.properties;
const somePackages = Type.Partial(Type.Object({ boot, root, tools, leaveOut }), strict);

export const ImageFlavour = Type.Object(
  {
    /** The file's own name; the image is called NAME-OF-THE-DEFAULT-name. */
    name: Type.String({ pattern: '^[a-z0-9]+$' }),
    /** What a person reads in a list of flavours. */
    summary: Type.String({ minLength: 1, maxLength: 100 }),
    add: Type.Partial(
      Type.Object({
        components,
        packages: somePackages,
        files,
        libraries,
        links,
        firmware,
        kernelModules,
        kernelCommandLine,
        accounts,
      }),
      strict,
    ),
    remove: Type.Optional(
      Type.Partial(
        Type.Object({
          packages: somePackages,
          links: Type.Array(Type.String()),
          kernelModules,
          kernelCommandLine,
        }),
        strict,
      ),
    ),
    /** See image-spec.ts. */
    debugShell,
    budgets: Type.Partial(budgets, strict),
  },
  strict,
);
export type ImageFlavour = Static<typeof ImageFlavour>;

/** @throws FlavourError FLAVOUR_INVALID naming the first wrong place */
export function parseFlavour(text: string, name: string): ImageFlavour {
  const path = `image/flavours/${name}.json`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FlavourError('FLAVOUR_INVALID', `${path} is not JSON`, { cause });
  }
  if (!Value.Check(ImageFlavour, value)) {
    const [first] = Value.Errors(ImageFlavour, value);
    const place = first === undefined ? '' : `: ${first.instancePath || '/'} ${first.message}`;
    throw new FlavourError('FLAVOUR_INVALID', `${path} is not a valid flavour${place}`);
  }
  if (value.name !== name) throw new FlavourError('FLAVOUR_INVALID', `${path} says that its name is ${value.name}`);
  return value;
}

/** The whole declaration of the flavour's image. @throws FlavourError FLAVOUR_INVALID where the two do not fit */
export function mergeFlavour(
  spec: ImageSpec,
  { name, add, remove = {}, budgets, debugShell }: ImageFlavour,
): ImageSpec {
  const list = listMerger(name);
  const plus = add.packages ?? {};
  const minus = remove.packages ?? {};
  const map = <T>(place: string, from: Record<string, T>, more: Record<string, T> = {}, less: string[] = []) => {
    const keys = list(place, Object.keys(from), Object.keys(more), less);
    return Object.fromEntries(keys.map((key) => [key, more[key] ?? from[key]])) as Record<string, T>;
  };
  return {
    ...spec,
    name: `${spec.name}-${name}`,
    components: list('components', spec.components, add.components),
    packages: {
      kernel: spec.packages.kernel,
      boot: list('packages.boot', spec.packages.boot, plus.boot, minus.boot),
      root: list('packages.root', spec.packages.root, plus.root, minus.root),
      tools: list('packages.tools', spec.packages.tools, plus.tools, minus.tools),
      leaveOut: list('packages.leaveOut', spec.packages.leaveOut, plus.leaveOut, minus.leaveOut),
    },
    files: moreFiles(list, spec.files, add.files),
    libraries: list('libraries', spec.libraries, add.libraries),
    links: map('links', spec.links, add.links, remove.links),
    ...(add.firmware === undefined ? {} : { firmware: add.firmware }),
    kernelModules: list('kernelModules', spec.kernelModules, add.kernelModules, remove.kernelModules),
    kernelCommandLine: list(
      'kernelCommandLine',
      spec.kernelCommandLine,
      add.kernelCommandLine,
      remove.kernelCommandLine,
    ),
    accounts: moreAccounts(list, spec.accounts, add.accounts),
    ...(debugShell === undefined ? {} : { debugShell }),
    budgets: {
      ...spec.budgets,
      ...budgets,
      partBytes: { ...spec.budgets.partBytes, ...budgets.partBytes },
    },
  };
}

type ListMerger = (place: string, from: string[], more?: string[], less?: string[]) => string[];

/** Taking out what is not there, or adding what is, tells of a flavour that image.json has left behind. */
function listMerger(flavour: string): ListMerger {
  const misfit = (text: string) => {
    const nextStep = `correct image/flavours/${flavour}.json, then run: npx cpushare image lock --flavour ${flavour}`;
    throw new FlavourError('FLAVOUR_INVALID', `the flavour ${flavour} ${text}`, { nextStep });
  };
  return (place, from, more = [], less = []) => {
    for (const one of less) if (!from.includes(one)) misfit(`removes ${one} from ${place}, which does not hold it`);
    const kept = from.filter((one) => !less.includes(one));
    for (const one of more) if (kept.includes(one)) misfit(`adds ${one} to ${place}, which holds it already`);
    return [...kept, ...more];
  };
}

/** A package may give more files in a flavour than in the default. */
function moreFiles(list: ListMerger, from: ImageSpec['files'], more: ImageSpec['files'] = {}): ImageSpec['files'] {
  const merged = { ...from };
  for (const [name, globs] of Object.entries(more)) merged[name] = list(`files.${name}`, from[name] ?? [], globs);
  return merged;
}

function moreAccounts(list: ListMerger, from: ImageSpec['accounts'], more: ImageSpec['accounts'] = []) {
  const keys = (accounts: ImageSpec['accounts']) => accounts.flatMap(({ name, uid }) => [name, `uid ${uid}`]);
  list('accounts', keys(from), keys(more));
  return [...from, ...more];
}
