import type { FetchProgress } from './fetch.ts';

/** Turns many small reports into a line per tenth. Silent when everything was in the cache at once. */
export function downloadProgress(print: (line: string) => void): (state: FetchProgress) => void {
  let told = -1;
  return ({ doneBytes, totalBytes }) => {
    const tenth = Math.floor((10 * doneBytes) / totalBytes);
    if (tenth <= told) return;
    told = tenth;
    const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
    print(`Packages fetched and checked: ${mebibytes(doneBytes)} of ${mebibytes(totalBytes)} MiB`);
  };
}
