/** A file that is there whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises';

/** @throws what `failure` makes of the reason */
export async function writeWhole(
  path: string,
  text: string,
  failure: (path: string, cause: unknown) => Error,
): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure(path, cause);
  }
}
