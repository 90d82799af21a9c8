/** What lies in the image, read out of the ISO: each file of the initrd, and of both layers of the root in it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INITRD_PATH } from '../../../scripts/grub.ts';
import type { Tools } from '../../../scripts/tools.ts';
import { withIso } from '../../../scripts/verify/iso-parts.ts';
import { readMembers } from '../../../scripts/verify/read-cpio.ts';

export interface ImageFile {
  readonly path: string;
  /** As `ls -l` shows it, such as `-rwxr-xr-x` or `lrwxrwxrwx`. */
  readonly mode: string;
}

export interface ImageFiles {
  /** Paths in the initrd. */
  readonly initrd: readonly string[];
  readonly root: readonly ImageFile[];
  /** The text of a file of the root. */
  read(path: string): Promise<string>;
}

export async function filesOfImage(isoFile: string, folder: string, tools: Tools): Promise<ImageFiles> {
  return await withIso(isoFile, async (iso) => {
    const extent = iso.files.get(INITRD_PATH);
    if (extent === undefined) throw new Error('no initrd in the image');
    const members = readMembers(iso.readAt, extent);
    const layers = new Map<string, string>();
    for (const name of ['base.sqfs', 'agent.sqfs']) {
      const member = members.get(name);
      if (member === undefined) throw new Error(`no ${name} in the initrd`);
      await writeFile(join(folder, name), iso.readAt(member));
      layers.set(name, join(folder, name));
    }
    const listed = await Promise.all([...layers.values()].map((file) => tools.run('unsquashfs', ['-lln', file])));
    const homeOf = new Map<string, string>();
    const root = listed.flatMap(({ stdout }, index) =>
      [...stdout.matchAll(/^(\S{10}) .* squashfs-root(\/\S+)( -> .*)?$/gm)].map(([, mode = '', path = '']) => {
        homeOf.set(path, [...layers.values()][index] ?? '');
        return { path, mode };
      }),
    );
    return {
      initrd: [...members.keys()],
      root,
      read: async (path) => (await tools.run('unsquashfs', ['-cat', homeOf.get(path) ?? '', path])).stdout,
    };
  });
}
