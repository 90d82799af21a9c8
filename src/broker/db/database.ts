/**
 * The broker's database as its rules see it: SQL that PostgreSQL understands, one statement a call, `$1` parameters.
 * PGlite is PostgreSQL in this process, so both adapters take the same text and give the same rows:
 * text as string, int4 as number, bool as boolean, timestamptz as Date.
 */
export type Value = string | number | boolean | null;

export interface Queryable {
  query<Row extends object = Record<string, unknown>>(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
}

export interface Database extends Queryable {
  /** All or nothing: rolled back when `work` throws. Read committed; rows that decide are read with FOR UPDATE. */
  transaction<Result>(work: (transaction: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}
