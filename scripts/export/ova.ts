/**
 * An .ova: description, manifest and disk in one tar (DSP0243 §5.3, in that order). The same ISO and options give the same
 * bytes on any host: dates and identities come from the ISO.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { bytesWithConfiguration, configurationPartition } from '../stick/configuration-partition.ts';
import { contentId, diskContent, type IsoFacts } from './iso-content.ts';
import { type NetworkCard, renderOvf } from './ovf.ts';
import { canonicalUuid, streamOptimizedVmdk } from './vmdk.ts';

export interface OvaInput {
  readonly iso: IsoFacts;
  /** Of the machine, and of the files in the archive. */
  readonly name: string;
  readonly networkCard: NetworkCard;
  /** Goes into a partition behind the ISO, as on a stick. */
  readonly configuration: Uint8Array | undefined;
  readonly output: string;
}

const ROUND_TO_BYTES = 2 ** 20;

/** Returns its size. @throws GptError, VolumeError */
export async function writeOva(input: OvaInput): Promise<number> {
  const disk = `${input.output}.disk.part`;
  const partial = `${input.output}.part`;
  await mkdir(dirname(input.output), { recursive: true });
  try {
    const { capacityBytes, uuid, machineUuid } = await writeDisk(input, disk);
    const fileBytes = (await stat(disk)).size;
    const fileName = `${input.name}-disk1.vmdk`;
    const { name, networkCard } = input;
    const ovf = Buffer.from(
      renderOvf({ name, networkCard, machineUuid, disk: { fileName, fileBytes, capacityBytes, uuid } }),
    );
    const manifest = Buffer.from(
      [
        `SHA256(${name}.ovf)= ${createHash('sha256').update(ovf).digest('hex')}\n`,
        `SHA256(${fileName})= ${await sha256Of(disk)}\n`,
      ].join(''),
    );
    await writeTar(partial, input.iso.sourceDateEpoch, [
      { name: `${name}.ovf`, bytes: ovf },
      { name: `${name}.mf`, bytes: manifest },
      { name: fileName, path: disk, sizeBytes: fileBytes },
    ]);
    await rename(partial, input.output);
    return (await stat(input.output)).size;
  } finally {
    await rm(disk, { force: true });
    await rm(partial, { force: true });
  }
}

async function writeDisk({ iso, configuration }: OvaInput, path: string) {
  const isoBytes = iso.sizeBytes;
  const needed = configuration === undefined ? isoBytes : bytesWithConfiguration(isoBytes);
  const capacityBytes = Math.ceil(needed / ROUND_TO_BYTES) * ROUND_TO_BYTES;
  const partition = { iso: iso.path, isoBytes, diskBytes: capacityBytes };
  const changes = configuration === undefined ? [] : await configurationPartition({ ...partition, configuration });
  const id = await contentId(diskContent(iso, changes));
  const vmdk = streamOptimizedVmdk({ content: diskContent(iso, changes), capacityBytes, id });
  await pipeline(Readable.from(vmdk, { objectMode: false }), createWriteStream(path));
  const machineUuid = canonicalUuid(await contentId([id, Buffer.from('machine')]));
  return { capacityBytes, uuid: canonicalUuid(id), machineUuid };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

type TarFile = { readonly name: string } & (
  | { readonly bytes: Buffer }
  | { readonly path: string; readonly sizeBytes: number }
);

async function writeTar(output: string, sourceDateEpoch: number, files: readonly TarFile[]): Promise<void> {
  const tar = pack();
  const written = pipeline(tar as unknown as Readable, createWriteStream(output));
  const common = { mtime: new Date(sourceDateEpoch * 1000), mode: 0o644, uid: 0, gid: 0, uname: '', gname: '' };
  const fill = async () => {
    for (const file of files) {
      const size = 'bytes' in file ? file.bytes.length : file.sizeBytes;
      const content = 'bytes' in file ? Readable.from(file.bytes, { objectMode: false }) : createReadStream(file.path);
      await pipeline(content, tar.entry({ ...common, name: file.name, size }));
    }
    tar.finalize();
  };
  await Promise.all([fill().catch((error: Error) => tar.destroy(error)), written]);
}
