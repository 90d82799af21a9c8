/** A PostgreSQL server, for an operator who has one: the same SQL over a bounded pool of connections. */
import pg from 'pg';
import { StartError } from '../errors.ts';
import type { Database, Queryable, Value } from './database.ts';

/** @throws StartError DATABASE_UNREACHABLE; the message names host and database, never the password */
export async function openPostgres(url: string): Promise<Database> {
  const pool = newPool(url);
  // A server that goes away breaks idle connections; the next query finds that out and says so. Without a listener Node would exit.
  pool.on('error', () => undefined);
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    throw unreachable(url, cause);
  }
  return {
    query: queryOf(pool),
    transaction: (work) => transact(pool, work),
    close: () => pool.end(),
  };
}

function newPool(url: string): pg.Pool {
  try {
    return new pg.Pool({
      connectionString: url,
      max: 8,
      connectionTimeoutMillis: 10_000,
      // A statement that hangs must not hold a request, nor a lock, for ever.
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 30_000,
      application_name: 'cpushare-broker',
    });
  } catch (cause) {
    throw unreachable(url, cause);
  }
}

async function transact<Result>(pool: pg.Pool, work: (transaction: Queryable) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query('BEGIN');
    const result = await work({ query: queryOf(client) });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

function queryOf(client: Pick<pg.ClientBase, 'query'> | pg.Pool): Queryable['query'] {
  return async <Row extends object>(sql: string, values: readonly Value[] = []) =>
    (await client.query<Row>(sql, [...values])).rows;
}

function unreachable(url: string, cause: unknown): StartError {
  return new StartError('DATABASE_UNREACHABLE', `no PostgreSQL answers at ${withoutPassword(url)}`, {
    cause,
    nextStep: 'check that the server runs and that --database names its host, port, user and database',
  });
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'the address given';
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
