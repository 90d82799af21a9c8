/** The root file system as squashfs, from one tar stream: no unpacking, no root, same stream and lock give the same bytes. */
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type SquashfsCompression, squashfsOptions } from './compression.ts';
import type { Tools } from './tools.ts';

export interface SquashfsInput {
  /** Sorted tar of the whole root; mksquashfs keeps its order. */
  readonly tar: Readable;
  readonly compression: SquashfsCompression;
  readonly sourceDateEpoch: number;
  readonly output: string;
}

/** @throws ToolError */
export async function packSquashfs(input: SquashfsInput, tools: Tools): Promise<string> {
  const partial = `${input.output}.part`;
  await rm(partial, { force: true });
  try {
    await tools.run(
      'mksquashfs',
      [
        ...['-', partial, '-tar'],
        ...squashfsOptions(input.compression),
        // Times from us alone: with SOURCE_DATE_EPOCH set beside them mksquashfs stops.
        ...['-all-time', String(input.sourceDateEpoch), '-mkfs-time', String(input.sourceDateEpoch)],
        // The root folder itself would get the builder's uid and mode 0777.
        ...['-all-root', '-root-mode', '755', '-no-xattrs'],
        ...['-no-progress', '-quiet'],
      ],
      { input: input.tar, env: { SOURCE_DATE_EPOCH: undefined } },
    );
    await rename(partial, input.output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return input.output;
}
