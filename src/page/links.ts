/** Documents from links: nothing is fetched that the person did not name, and from another place only over HTTPS. */
import { CodedError } from '../shared/errors.ts';

export class LinkError extends CodedError<'LINK_REFUSED' | 'LINK_FAILED' | 'FILE_TOO_LARGE'> {}

/** More than any report that can be accepted; the command line has the same limit. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** `#report=URL&reference=URL&trust=URL&nonce=HEX&broker=HEX`, repeatable where several make sense. */
export interface Wish {
  readonly links: readonly string[];
  readonly nonce: string;
  readonly brokerId: string;
}

const LINK_NAMES = ['report', 'reference', 'trust', 'policy'];

export function wishOf(fragment: string): Wish {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  return {
    links: LINK_NAMES.flatMap((name) => parameters.getAll(name)).filter((link) => link !== ''),
    nonce: parameters.get('nonce') ?? '',
    brokerId: parameters.get('broker') ?? '',
  };
}

/** Absolute, from the same place as the page or https. `page` is the page's own address. @throws LinkError LINK_REFUSED */
export function allowedLink(link: string, page: string): URL {
  const here = new URL(page);
  const served = here.protocol === 'https:' || here.protocol === 'http:';
  let url: URL;
  try {
    url = served ? new URL(link, here) : new URL(link);
  } catch (cause) {
    throw new LinkError('LINK_REFUSED', `${JSON.stringify(link.slice(0, 200))} is not a link`, {
      cause,
      nextStep: 'write it whole: https://broker.example/v1/machines/MACHINE/report',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new LinkError('LINK_REFUSED', `the link to ${url.host} holds a name or password`, {
      nextStep: 'download the file and add it here',
    });
  }
  if ((served && url.origin === here.origin) || url.protocol === 'https:') return url;
  throw new LinkError('LINK_REFUSED', `a link must begin with https://, this one begins with ${url.protocol}`, {
    nextStep: 'download the file and add it here',
  });
}

export const isForeign = (url: URL, page: string): boolean => url.origin !== new URL(page).origin;

/** @throws LinkError LINK_FAILED, FILE_TOO_LARGE */
export async function fetchDocument(url: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await readBounded(response, url);
  } catch (cause) {
    if (cause instanceof LinkError) throw cause;
    throw new LinkError('LINK_FAILED', `nothing came from ${url.host}`, {
      cause,
      nextStep: 'open the link in another tab, save what it shows, and add the file here',
    });
  }
}

async function readBounded(response: Response, url: URL): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    size += next.value.length;
    if (size > MAX_DOCUMENT_BYTES) {
      await reader?.cancel();
      throw new LinkError(
        'FILE_TOO_LARGE',
        `${url.host} sends more than ${MAX_DOCUMENT_BYTES} bytes, no more are read`,
      );
    }
    parts.push(next.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
