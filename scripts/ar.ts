/** The outer shell of a .deb: a Unix ar archive (deb(5), ar(5)) of debian-binary, control.tar.* and data.tar.*. */
import { CodedError } from '../src/shared/errors.ts';

export class DebError extends CodedError<'DEB_MALFORMED' | 'DEB_UNSAFE' | 'DEB_UNSUPPORTED'> {}

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;

export interface ArMember {
  readonly name: string;
  readonly data: Uint8Array;
}

/** @throws DebError DEB_MALFORMED */
export function readAr(bytes: Uint8Array): ArMember[] {
  if (ascii(bytes, 0, MAGIC.length) !== MAGIC) throw new DebError('DEB_MALFORMED', 'not an ar archive');
  const members: ArMember[] = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) throw new DebError('DEB_MALFORMED', `ar header at byte ${at} is cut short`);
    const sizeText = ascii(bytes, at + 48, 10).trimEnd();
    if (ascii(bytes, at + 58, 2) !== '`\n' || !/^[0-9]+$/.test(sizeText)) {
      throw new DebError('DEB_MALFORMED', `no ar header at byte ${at}`);
    }
    const start = at + HEADER_BYTES;
    const end = start + Number(sizeText);
    if (end > bytes.length) throw new DebError('DEB_MALFORMED', `ar member at byte ${at} is cut short`);
    const name = ascii(bytes, at, 16).trimEnd().replace(/\/$/, '');
    if (members.some((one) => one.name === name)) throw new DebError('DEB_MALFORMED', `two ar members named ${name}`);
    members.push({ name, data: bytes.subarray(start, end) });
    at = end + (end % 2);
  }
  return members;
}

/** The compressed file tree of a format 2.0 .deb. */
export function debData(bytes: Uint8Array): { readonly compression: 'xz' | 'zst' | 'none'; readonly data: Uint8Array } {
  const members = readAr(bytes);
  const [first] = members;
  if (first?.name !== 'debian-binary' || !ascii(first.data, 0, first.data.length).startsWith('2.')) {
    throw new DebError('DEB_MALFORMED', 'the first ar member is no debian-binary of format 2');
  }
  const trees = members.filter((one) => one.name.startsWith('data.tar'));
  const [tree] = trees;
  if (tree === undefined || trees.length > 1) throw new DebError('DEB_MALFORMED', `${trees.length} data.tar members`);
  const suffix = tree.name.slice('data.tar'.length);
  if (suffix === '.xz') return { compression: 'xz', data: tree.data };
  if (suffix === '.zst') return { compression: 'zst', data: tree.data };
  if (suffix === '') return { compression: 'none', data: tree.data };
  throw new DebError('DEB_UNSUPPORTED', `data.tar${suffix}: only xz, zstd and plain are read`);
}

function ascii(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
