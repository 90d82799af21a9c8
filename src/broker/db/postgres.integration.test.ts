import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { describeStore } from '../testing/store-suite.ts';
import { openPostgres } from './postgres.ts';

const bin = await findPostgres();

describe.skipIf(bin === null)(
  `the store on PostgreSQL${bin === null ? ' (skipped: no PostgreSQL server)' : ''}`,
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres(bin ?? '');
    });
    afterAll(() => server?.stop());

    describeStore(() => openPostgres(server.url));
  },
);

describe('an address without a server', () => {
  it.each([
    { name: 'nothing listens', url: 'postgres://someone:secret-word@127.0.0.1:9/market' },
    { name: 'not an address', url: 'postgres://someone:secret-word@:not a port/' },
  ])('is refused without showing the password: $name', async ({ url }) => {
    const failure = await openPostgres(url).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    expect(String(failure)).not.toContain('secret-word');
  });
});
