/** `image/image.json`: what the image consists of, as data. No commands, nothing that names a host. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SellerConfiguration } from '../src/protocol/messages.ts';
import { CodedError } from '../src/shared/errors.ts';
import { InitrdCompression, SquashfsCompression } from './compression.ts';

export class ImageSpecError extends CodedError<'IMAGE_SPEC_UNREADABLE' | 'IMAGE_SPEC_INVALID'> {}

const strict = { additionalProperties: false } as const;
const name = Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]+$' });
/** Inside the root, relative, `**` and `*` as in gitignore files. */
const glob = Type.String({ pattern: '^[A-Za-z0-9_.+@*][A-Za-z0-9_.+@*,{}/-]*$' });

const partName = Type.Union(
  (['base', 'drivers', 'firmware', 'kernel', 'agent', 'initrd', 'esp', 'bios-grub', 'medium'] as const).map((one) =>
    Type.Literal(one),
  ),
);

export const ImageSpec = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]+$' }),
    version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' }),
    suite: Type.String({ pattern: '^[a-z]+$' }),
    components: Type.Array(name, { minItems: 1 }),
    architecture: Type.Literal('amd64'),
    packages: Type.Object(
      {
        /** Metapackage; the lock follows its dependency to the one signed kernel it stands for. */
        kernel: name,
        /** Taken alone, without what they depend on: their files are used, their programs never run. */
        boot: Type.Array(name),
        /** Programs of the live root, resolved by apt with their dependencies. */
        root: Type.Array(name),
        /** Programs that the build runs, resolved likewise. */
        tools: Type.Array(name),
        /** Dependencies that only maintainer scripts or unused parts need. */
        leaveOut: Type.Array(name),
      },
      strict,
    ),
    /** By package: the files of the live root. Libraries that these need follow by themselves (DT_NEEDED). */
    files: Type.Record(name, Type.Array(glob)),
    /** Libraries loaded by name at run time, which no DT_NEEDED shows. */
    libraries: Type.Array(Type.String()),
    /** Items of ICU's data that Node.js gets, without the package's prefix; the others stay out. */
    icuData: Type.Array(glob, { minItems: 1 }),
    /** Symbolic links of the root: path to target. */
    links: Type.Record(Type.String(), Type.String()),
    /** Packages of device firmware: of it, what the chosen kernel modules name, without what matches `leaveOut`. */
    firmware: Type.Optional(Type.Object({ packages: Type.Array(name), leaveOut: Type.Array(glob) }, strict)),
    /** Kernel modules by name; what they depend on follows by itself. */
    kernelModules: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]+$' })),
    /** Those that the initrd loads before the root is there. */
    initrdModules: Type.Array(Type.String()),
    kernelCommandLine: Type.Array(Type.String({ pattern: '^[!-~]+$' })),
    accounts: Type.Array(
      Type.Object(
        { name, uid: Type.Integer({ minimum: 0, maximum: 65534 }), gecos: Type.String(), home: Type.String() },
        strict,
      ),
    ),
    /** A shell on the serial line. Its reference values say so, and a verifier refuses them unless told. */
    debugShell: Type.Optional(Type.Literal(true)),
    /** For an operator's own image: the broker of a machine that has no configuration. Ours names none. */
    defaultBroker: Type.Optional(
      Type.Object(
        { broker: SellerConfiguration.properties.broker, brokerPin: SellerConfiguration.properties.brokerPin },
        strict,
      ),
    ),
    /** Of both layers of the root. */
    squashfs: SquashfsCompression,
    /** Around them, early user space and all. */
    initrd: InitrdCompression,
    /** A build that passes one fails. */
    budgets: Type.Object(
      {
        isoBytes: Type.Integer({ minimum: 1 }),
        /** By part of size-tree.ts. */
        partBytes: Type.Partial(Type.Record(partName, Type.Integer({ minimum: 1 })), strict),
      },
      strict,
    ),
  },
  strict,
);
export type ImageSpec = Static<typeof ImageSpec>;

export async function readImageSpec(path: string): Promise<ImageSpec> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ImageSpecError('IMAGE_SPEC_UNREADABLE', `cannot read the image declaration ${path}`, { cause });
  });
  return parseImageSpec(text, path);
}

/** @throws ImageSpecError IMAGE_SPEC_INVALID naming the first wrong place */
export function parseImageSpec(text: string, path = 'image.json'): ImageSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ImageSpecError('IMAGE_SPEC_INVALID', `${path} is not JSON`, { cause });
  }
  if (Value.Check(ImageSpec, value)) return value;
  const [first] = Value.Errors(ImageSpec, value);
  const place = first === undefined ? '' : `${first.instancePath || '/'} ${first.message}`;
  throw new ImageSpecError('IMAGE_SPEC_INVALID', `${path} is not a valid image declaration: ${place}`);
}

/** Checksum of the meaning, not of the spelling: white space and key order do not make a lock stale. */
export function imageSpecSha256(spec: ImageSpec): string {
  return createHash('sha256').update(canonical(spec)).digest('hex');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
