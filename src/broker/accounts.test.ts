import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountFiles, addAccount, listAccounts, removeAccount } from './accounts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-accounts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('accounts', () => {
  it('sign in with their secret, however it is written down, and with no other', async () => {
    const accounts = accountFiles(folder);
    const secret = await addAccount(folder, 'anna');
    expect(secret).toMatch(/^([0-9a-hjkmnp-tv-z]{5}-){5}[0-9a-hjkmnp-tv-z]$/);
    expect(await accounts.signsIn('anna', secret)).toBe(true);
    expect(await accounts.signsIn('anna', secret.toUpperCase().replaceAll('-', ' '))).toBe(true);
    expect(await accounts.signsIn('anna', secret.slice(0, -1))).toBe(false);
    expect(await accounts.signsIn('anna', '')).toBe(false);
    expect(await accounts.signsIn('ben', secret)).toBe(false);
  });

  it('keep no secret, and are nobody else’s to read', async () => {
    const secret = await addAccount(folder, 'carla');
    const file = join(folder, 'accounts/carla.json');
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(secret.slice(0, 5));
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it.each(['', 'Anna', '../anna', 'anna/..', '-anna', 'a'.repeat(33), 'änna', 'anna\u0000'])(
    'have no name like %j',
    async (name) => {
      const before = await readdir(folder, { recursive: true });
      await expect(addAccount(folder, name)).rejects.toMatchObject({ code: 'ACCOUNT_NAME_BAD' });
      await expect(removeAccount(folder, name)).rejects.toMatchObject({ code: 'ACCOUNT_UNKNOWN' });
      expect(await accountFiles(folder).exists(name)).toBe(false);
      expect(await readdir(folder, { recursive: true })).toEqual(before);
    },
  );

  it('are made once, listed, and gone when removed', async () => {
    const secret = await addAccount(folder, 'dora');
    await expect(addAccount(folder, 'dora')).rejects.toMatchObject({ code: 'ACCOUNT_EXISTS' });
    expect(await accountFiles(folder).signsIn('dora', secret)).toBe(true);
    expect(await listAccounts(folder)).toContain('dora');
    await removeAccount(folder, 'dora');
    expect(await listAccounts(folder)).not.toContain('dora');
    expect(await accountFiles(folder).signsIn('dora', secret)).toBe(false);
  });
});
