/** How large each part of the image is, and what a person reads of it. */
import { stat } from 'node:fs/promises';

export interface PartSize {
  readonly name: string;
  readonly bytes: number;
}

export async function partSizes(parts: Readonly<Record<string, string>>): Promise<PartSize[]> {
  return Promise.all(Object.entries(parts).map(async ([name, path]) => ({ name, bytes: (await stat(path)).size })));
}

/** The root lies inside the initrd, and all parts inside the ISO. */
const WORDS: Readonly<Record<string, string>> = {
  kernel: 'kernel',
  initrd: 'initrd (with the root)',
  base: '  root: programs and drivers',
  agent: '  root: sell client',
  esp: 'EFI system partition',
  'bios-grub': 'GRUB for legacy BIOS',
  iso: 'ISO',
};

export function formatSizes(sizes: readonly PartSize[], budgetBytes: number): string {
  const rows = sizes.map(({ name, bytes }) => ({ text: WORDS[name] ?? name, bytes }));
  const width = Math.max(...rows.map((row) => row.text.length));
  const lines = rows.map(
    (row) => `${row.text.padEnd(width)}  ${mebibytes(row.bytes).padStart(10)}  ${row.bytes} bytes`,
  );
  return [...lines, `${'budget'.padEnd(width)}  ${mebibytes(budgetBytes).padStart(10)}  ${budgetBytes} bytes`].join(
    '\n',
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
