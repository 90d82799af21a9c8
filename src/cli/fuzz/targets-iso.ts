/** An ISO that somebody hands over to be verified: its folders, its initrd, and what it tells about itself. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageSpecSha256, parseImageSpec } from '../../../scripts/image-spec.ts';
import { formatLock } from '../../../scripts/lock-file.ts';
import { ABOUT_FILES } from '../../../scripts/medium-files.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { isoFile } from '../../../scripts/testing/iso-file.ts';
import { readAbout } from '../../../scripts/verify/about.ts';
import { espIn } from '../../../scripts/verify/iso-parts.ts';
import { readMembers } from '../../../scripts/verify/read-cpio.ts';
import { readVolume } from '../../../scripts/verify/read-iso.ts';
import type { Extent } from '../../shared/iso9660-records.ts';
import { BrokenRule, requirePrintable, type Target } from './target.ts';

const member = (name: string, content: string) => {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  const fields = [1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${fields.map(hex).join('')}${name}\0`;
  return head.padEnd(Math.ceil(head.length / 4) * 4, '\0') + content.padEnd(Math.ceil(content.length / 4) * 4, '\0');
};
const initrd = Buffer.from(
  member('init', '#!/bin/sh') + member('root.sqfs', 'hsqs') + member('TRAILER!!!', ''),
  'latin1',
);
const spec = readFileSync(join(projectRoot, 'image/image.json'), 'utf8');
const lock = formatLock({
  format: 'cpushare-image-lock',
  version: 1,
  imageSpecSha256: imageSpecSha256(parseImageSpec(spec)),
  sourceDateEpoch: 1_700_000_000,
  indexes: [],
  packages: [],
});
const version = JSON.stringify({
  format: 'cpushare-image-version',
  version: 1,
  image: { name: 'cpushare-seller', version: '0.1.0' },
  date: '2023-11-14T22:13:20.000Z',
  lockSha256: createHash('sha256').update(lock).digest('hex'),
  sourceSha256: '00'.repeat(32),
});
const seed = isoFile({
  [ABOUT_FILES.version]: Buffer.from(version),
  [ABOUT_FILES.lock]: Buffer.from(lock),
  [ABOUT_FILES.spec]: Buffer.from(spec),
  [ABOUT_FILES.source]: Buffer.from('{"format":"cpushare-source-files","version":1,"files":{},"npm":{}}'),
  '/boot/initrd.img': initrd,
});
// A GPT of which the second partition is the EFI system partition (UEFI 2.10 §5.3).
seed.write('EFI PART', 512, 'latin1');
seed.writeUInt32LE(2, 512 + 72);
seed.writeUInt32LE(128, 512 + 84);
seed.writeUInt32LE(64, 1024 + 128 + 32);
seed.writeUInt32LE(66, 1024 + 128 + 40);

export function isoTargets(): readonly Target[] {
  return [
    { name: 'iso', shape: 'bytes', seeds: [seed], maxBytes: 400_000, baseMs: 5, run: readIso },
    { name: 'initrd', shape: 'bytes', seeds: [initrd], maxBytes: 400_000, baseMs: 5, run: readInitrd },
  ];
}

function readIso(input: Uint8Array): void {
  const readAt = readerOf(input);
  const { files } = readVolume(readAt, input.length);
  requirePrintable([...files.keys()].join('\n'));
  const esp = espIn({ readAt, sizeBytes: input.length });
  if (esp !== undefined && esp.start + esp.sizeBytes > input.length) throw new BrokenRule('a partition beyond the end');
  readAbout({ path: 'fuzz.iso', files, readAt });
}

function readInitrd(input: Uint8Array): void {
  const members = readMembers(readerOf(input), { start: 0, sizeBytes: input.length });
  requirePrintable([...members.keys()].join('\n'));
}

const readerOf = (input: Uint8Array) => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  return ({ start, sizeBytes }: Extent) => bytes.subarray(start, start + sizeBytes);
};
