/** PostgreSQL in this process, kept in a folder: the default, for one broker on one machine. */
import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { toHex } from '../../shared/bytes.ts';
import type { Database, Value } from './database.ts';

/** The cluster in `folder`; made beside it and renamed at the first start, so a half-made one is never opened. */
export async function openPglite(folder: string): Promise<Database> {
  if (!(await exists(folder))) await makeCluster(folder);
  const client = await PGlite.create(folder);
  return {
    query: async <Row extends object>(sql: string, values: readonly Value[] = []) =>
      (await client.query<Row>(sql, [...values])).rows,
    transaction: (work) =>
      client.transaction((transaction) =>
        work({
          query: async <Row extends object>(sql: string, values: readonly Value[] = []) =>
            (await transaction.query<Row>(sql, [...values])).rows,
        }),
      ),
    close: () => client.close(),
  };
}

async function makeCluster(folder: string): Promise<void> {
  const temporary = `${folder}.${toHex(randomBytes(6))}.new`;
  try {
    const client = await PGlite.create(temporary);
    await client.close();
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
