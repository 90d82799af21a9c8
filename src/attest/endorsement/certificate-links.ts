/** Where an authority says its certificate and its revocation list are published: to be shown, never to be fetched here. */

import {
  contentOf,
  context,
  contextConstructed,
  DerError,
  type DerReader,
  derReader,
  hasMore,
  inside,
  only,
  TAG,
  take,
} from '../der/der.ts';
import { type Certificate, readSigned } from './certificate.ts';
import { readExtension } from './certificate-extensions.ts';

export interface PublishedLinks {
  readonly issuers: readonly string[];
  readonly revocationLists: readonly string[];
}

const AUTHORITY_ACCESS = '1.3.6.1.5.5.7.1.1';
const DISTRIBUTION_POINTS = '2.5.29.31';
const MAX_LINKS = 8;

export function publishedLinks(certificate: Certificate): PublishedLinks {
  const links = { issuers: [] as string[], revocationLists: [] as string[] };
  const body = inside(readSigned(certificate.der).body);
  while (hasMore(body)) {
    const element = take(body);
    if (element.tag !== contextConstructed(3)) continue;
    for (const list = inside(only(contentOf(element), TAG.sequence)); hasMore(list); ) {
      const { oid, value } = readExtension(list, { add: () => undefined });
      if (oid === AUTHORITY_ACCESS) links.issuers.push(...linksIn(value));
      if (oid === DISTRIBUTION_POINTS) links.revocationLists.push(...linksIn(value));
    }
  }
  return links;
}

/** None where the extension cannot be read: nothing rests on it. */
function linksIn(value: Uint8Array): readonly string[] {
  const found: string[] = [];
  try {
    collect(derReader(value), found, 0);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
  return found;
}

/** Every uniformResourceIdentifier [6] in the tree; what is no tree any more holds none. */
function collect(reader: DerReader, found: string[], depth: number): void {
  while (hasMore(reader) && found.length < MAX_LINKS) {
    const element = take(reader);
    if (element.tag === context(6)) {
      const text = String.fromCharCode(...contentOf(element).subarray(0, 1000));
      if (/^[!-~]+$/.test(text)) found.push(text);
    } else if ((element.tag & 0x20) !== 0 && depth < 6) {
      collect(inside(element), found, depth + 1);
    }
  }
}
