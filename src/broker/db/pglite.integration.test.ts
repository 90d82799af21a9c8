import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeStore } from '../testing/store-suite.ts';
import { openPglite } from './pglite.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-pglite-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the store on PGlite', () => {
  describeStore(() => openPglite(join(folder, 'suite')));
});

describe('a PGlite folder', () => {
  it('is made whole or not at all, and keeps its rows', async () => {
    const first = await openPglite(join(folder, 'kept'));
    await first.query('CREATE TABLE kept (number int4)');
    await first.query('INSERT INTO kept VALUES ($1)', [7]);
    await first.close();
    const second = await openPglite(join(folder, 'kept'));
    expect(await second.query('SELECT number FROM kept')).toEqual([{ number: 7 }]);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});
