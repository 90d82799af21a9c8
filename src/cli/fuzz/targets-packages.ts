/** What the image's build reads out of Debian packages and of what it packed. All of it passed a checksum, and is read with care anyway. */
import { crc32 } from 'node:zlib';
import { decompressInProcess, readDeb } from '../../../scripts/deb.ts';
import { licencesIn } from '../../../scripts/deb-licences.ts';
import { parseIdNames } from '../../../scripts/hardware/id-names.ts';
import { parseModuleAliases } from '../../../scripts/hardware/module-alias.ts';
import { authenticodeSha256 } from '../../../scripts/pe.ts';
import { mokVariables } from '../../../scripts/reference-values-mok.ts';
import { decompressBlock } from '../../../scripts/size-tree/decompress-block.ts';
import { readPackedFiles } from '../../../scripts/squashfs-reader.ts';
import { addPartition, HEAD_SECTORS } from '../../../scripts/stick/gpt.ts';
import { debFile } from '../../../scripts/testing/deb-file.ts';
import { peFile } from '../../../scripts/testing/pe-file.ts';
import { newsSince, parseChangelog, summarize } from '../../../scripts/update/changelog.ts';
import { sbatLevels } from '../../../scripts/update/sbat.ts';
import { squashfsSeeds } from './squashfs-seeds.ts';
import { BrokenRule, type Target } from './target.ts';

const text = (content: string) => new Uint8Array(Buffer.from(content));
const deb = await debFile([
  { name: './usr/', type: 'directory' },
  { name: './usr/bin/tool', content: 'tool', mode: 0o755 },
  { name: './usr/bin/other', type: 'symlink', linkname: 'tool' },
  { name: './lib/same', type: 'link', linkname: './usr/bin/tool' },
]);

export function packageTargets(): readonly Target[] {
  return [
    bytes('deb', [deb], 40_000, readPackage),
    bytes('pe', [shim()], 40_000, (input) => {
      sbatLevels(input);
      authenticodeSha256(input);
      mokVariables(input);
    }),
    bytes('squashfs', squashfsSeeds(), 20_000, async (input) => {
      const { files } = await readPackedFiles(input, decompressBlock);
      if (files.some(({ packedBytes }) => !(packedBytes >= 0))) throw new BrokenRule('a file weighs less than nothing');
    }),
    bytes('partition-table', [partitionTable()], HEAD_SECTORS * 512, addToTable),
    bytes('changelog', [text(CHANGELOG)], 40_000, (input) => {
      const changelog = Buffer.from(input).toString();
      summarize(parseChangelog(changelog));
      newsSince(changelog, '1:1.2-3', '1:1.2-4~deb13u1');
    }),
    bytes('copyright', [text(COPYRIGHT)], 40_000, (input) => void licencesIn(Buffer.from(input).toString())),
    bytes('module-aliases', [text(ALIASES)], 40_000, (input) => void parseModuleAliases(Buffer.from(input).toString())),
    bytes('id-names', [text(ID_NAMES)], 40_000, (input) => void parseIdNames(Buffer.from(input).toString())),
  ];
}

const bytes = (name: string, seeds: readonly Uint8Array[], maxBytes: number, run: Target['run']): Target => {
  return { name, shape: 'bytes', seeds, maxBytes, baseMs: 20, run };
};

/** What would be written is not, and nothing is decompressed: that is the work of others. */
async function readPackage(input: Uint8Array): Promise<void> {
  const entries = await readDeb(input, 'input.deb', decompressInProcess, async (_, content) => void content.resume());
  for (const { path } of entries) {
    if (path.startsWith('/') || path.split('/').includes('..')) throw new BrokenRule(`${path} leaves its folder`);
  }
}

/** Both lists of struct cert_table (shim, cert.S). */
function shim(): Uint8Array {
  const certificate = Buffer.concat([Buffer.from('30820010', 'hex'), Buffer.alloc(16)]);
  const denied = Buffer.concat([Buffer.from('2616c4c14c509240aca941f936934328', 'hex'), Buffer.alloc(60)]);
  const head = Buffer.alloc(16);
  for (const [index, value] of [certificate.length, denied.length, 16, 16 + certificate.length].entries()) {
    head.writeUInt32LE(value, 4 * index);
  }
  return peFile([
    {
      name: '.sbat',
      content: Buffer.from('sbat,1,SBAT Version,sbat,1,https://x/\nshim,4,UEFI shim,shim,1,https://x/\n'),
    },
    { name: '.vendor_cert', content: Buffer.concat([head, certificate, denied]) },
  ]);
}

/** Header and three entries as in our ISOs (UEFI 2.10 §5.3); the checksums are set before it is read. */
function partitionTable(): Uint8Array {
  const head = Buffer.alloc(HEAD_SECTORS * 512);
  const header = head.subarray(512);
  header.write('EFI PART\0\0\u0001\0', 0, 'latin1');
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(248, 80);
  header.writeUInt32LE(128, 84);
  for (let at = 1024; at < 1024 + 3 * 128; at += 128) {
    head.fill(1, at, at + 32);
    head.writeBigUInt64LE(100n, at + 40);
  }
  return head;
}

function addToTable(input: Uint8Array): void {
  const head = Buffer.alloc(HEAD_SECTORS * 512);
  head.set(input);
  const entries = Number(head.readBigUInt64LE(512 + 72)) * 512;
  head.writeUInt32LE(crc32(head.subarray(entries, entries + head.readUInt32LE(512 + 80) * 128)), 512 + 88);
  head.writeUInt32LE(0, 512 + 16);
  head.writeUInt32LE(crc32(head.subarray(512, 512 + head.readUInt32LE(512 + 12))), 512 + 16);
  addPartition(head, 20_000, { firstSector: 4096, sectors: 4096, name: 'CPUSHARE', id: new Uint8Array(16).fill(7) });
}

const CHANGELOG = `tool (1:1.2-4~deb13u1) trixie-security; urgency=high, binary-only=yes

  * Close a hole (CVE-2026-12345).

 -- A Person <a@example.org>  Tue, 29 Sep 2026 22:10:28 +0200

tool (1:1.2-3) unstable; urgency=low
`;
const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-2+

License: GPL-2+
 Words.
`;
const ALIASES = `alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e
alias pci:v*d*sv*sd*bc01sc06i01* ahci
alias usb:v0BDAp8152d*dc*dsc*dp*icFFisc*ip*in* r8152
`;
const ID_NAMES = `8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
C 02  Network controller
\t00  Ethernet controller
\t\t01  Something
`;
