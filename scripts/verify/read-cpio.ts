/** Which files a newc archive (an initrd) holds and where they lie. It may come from anybody; see cpio.ts for the format. */
import type { Extent } from '../../src/shared/iso9660-records.ts';
import { IsoError, type ReadAt } from './read-iso.ts';

const HEADER_BYTES = 110;
const MAX_MEMBERS = 10_000;
const MAX_NAME_BYTES = 4096;

/** By path, in the archive's order; empty when this is no newc archive (a compressed one, say). @throws IsoError ISO_DAMAGED */
export function readMembers(readAt: ReadAt, archive: Extent): Map<string, Extent> {
  const members = new Map<string, Extent>();
  const end = archive.start + archive.sizeBytes;
  for (let at = archive.start; at + HEADER_BYTES <= end; ) {
    const header = readAt({ start: at, sizeBytes: HEADER_BYTES }).toString('latin1');
    if (!/^070701[0-9A-Fa-f]{104}$/.test(header)) {
      if (at === archive.start) return members;
      throw damaged(at - archive.start, 'no member begins there');
    }
    const number = (offset: number) => Number.parseInt(header.slice(offset, offset + 8), 16);
    const sizeBytes = number(54);
    const nameBytes = number(94);
    if (nameBytes < 2 || nameBytes > MAX_NAME_BYTES) throw damaged(at - archive.start, `a name of ${nameBytes} bytes`);
    const nameAt = at + HEADER_BYTES;
    const content = archive.start + round4(nameAt + nameBytes - archive.start);
    if (content + sizeBytes > end) throw damaged(at - archive.start, 'a member goes beyond the end');
    const name = readAt({ start: nameAt, sizeBytes: nameBytes - 1 }).toString('latin1');
    if (name === 'TRAILER!!!') break;
    if (!/^[!-~]+$/.test(name) || members.has(name))
      throw damaged(at - archive.start, `a member named ${JSON.stringify(name)}`);
    members.set(name, { start: content, sizeBytes });
    if (members.size > MAX_MEMBERS) throw damaged(at - archive.start, `more than ${MAX_MEMBERS} members`);
    at = archive.start + round4(content + sizeBytes - archive.start);
  }
  return members;
}

const round4 = (offset: number) => Math.ceil(offset / 4) * 4;

function damaged(offset: number, what: string): IsoError {
  return new IsoError('ISO_DAMAGED', `the ISO is damaged: its initrd has at byte ${offset} ${what}`);
}
