/** The figures of `bench --only compression` for a person. */

export interface Row {
  readonly name: string;
  readonly isoBytes: number;
  readonly initrdBytes: number;
  readonly buildSeconds: number;
  /** From power-on to a running Node.js; the best of several starts. */
  readonly nodeSeconds: number;
  readonly slowestSeconds: number;
  /** Of processor time, until then. */
  readonly cpuSeconds: number;
  /** Of the started machine. */
  readonly usedBytes: number;
}

const HEADS = ['compression', 'ISO', 'memory used', 'power-on to Node.js', 'CPU until then', 'built in'];

/** The image's own compression stands first. */
export function compressionTable(rows: readonly Row[], budgetBytes: number): string {
  const cells = rows.map((row) => [
    row.name,
    `${mebibytes(row.isoBytes)} MiB${row.isoBytes > budgetBytes ? ' (too large)' : ''}`,
    `${mebibytes(row.usedBytes)} MiB`,
    `${row.nodeSeconds.toFixed(1)} s (slowest ${row.slowestSeconds.toFixed(1)})`,
    `${row.cpuSeconds.toFixed(1)} s`,
    `${row.buildSeconds.toFixed(0)} s`,
  ]);
  const widths = HEADS.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ');
  return [line(HEADS), ...cells.map(line)].map((text) => text.trimEnd()).join('\n');
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
