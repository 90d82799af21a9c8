/** Reads what an ISO tells about itself. All of it is the word of whoever made the ISO, until a rebuild gives the same bytes. */
import { createHash } from 'node:crypto';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CodedError } from '../../src/shared/errors.ts';
import { type ImageSpec, parseImageSpec } from '../image-spec.ts';
import { type ImageLock, parseLock } from '../lock-file.ts';
import { ABOUT_FILES, ImageVersion } from '../medium-files.ts';
import { SourceList } from '../source-files.ts';
import type { OpenIso } from './iso-parts.ts';

export class AboutError extends CodedError<'ISO_WITHOUT_LOCK' | 'ISO_LOCK_DAMAGED'> {}

const MAX_BYTES = 4 << 20;

export interface About {
  readonly version: ImageVersion;
  readonly spec: ImageSpec;
  readonly lock: ImageLock;
  readonly lockText: string;
  readonly source: SourceList;
}

/** @throws AboutError */
export function readAbout({ path, files, readAt }: Pick<OpenIso, 'path' | 'files' | 'readAt'>): About {
  const text = (name: string): string => {
    const extent = files.get(name);
    if (extent === undefined) {
      throw new AboutError('ISO_WITHOUT_LOCK', `${path} carries no ${name}: it does not say what it was built from`, {
        nextStep: 'take an ISO of cpushare; early ones carry no lock',
      });
    }
    if (extent.sizeBytes > MAX_BYTES) throw damaged(name, `has ${extent.sizeBytes} bytes`);
    return readAt(extent).toString('utf8');
  };
  const version = parsed(ImageVersion, text(ABOUT_FILES.version), ABOUT_FILES.version);
  const lockText = text(ABOUT_FILES.lock);
  const found = createHash('sha256').update(lockText).digest('hex');
  if (found !== version.lockSha256) {
    const said = version.lockSha256;
    throw damaged(ABOUT_FILES.lock, `has sha256 ${found}, and ${ABOUT_FILES.version} says ${said}`);
  }
  const specText = text(ABOUT_FILES.spec);
  const source = parsed(SourceList, text(ABOUT_FILES.source), ABOUT_FILES.source);
  try {
    const spec = parseImageSpec(specText, ABOUT_FILES.spec);
    return { version, spec, lock: parseLock(lockText, spec), lockText, source };
  } catch (cause) {
    throw damaged(ABOUT_FILES.lock, 'and its declaration cannot be used', cause);
  }
}

function parsed<T extends TSchema>(schema: T, text: string, name: string): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(name, 'is not JSON', cause);
  }
  if (!Value.Check(schema, value)) {
    const [first] = Value.Errors(schema, value);
    throw damaged(name, `is not as expected at ${first?.instancePath || '/'}: ${first?.message ?? ''}`);
  }
  return value as Static<T>;
}

function damaged(name: string, what: string, cause?: unknown): AboutError {
  return new AboutError('ISO_LOCK_DAMAGED', `in the ISO, ${name} ${what}`, {
    cause,
    nextStep: 'fetch the ISO again and compare its checksum; if it stays, do not use it',
  });
}
