/**
 * Sellers' accounts: one file each in the broker's data folder, made by the operator (`broker account add`), also while a
 * broker runs. A file holds no secret, only its scrypt hash; the secret is ours, 130 random bits, shown once.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import { hex, strict } from '../protocol/fields.ts';
import { AccountName } from '../protocol/pairing-messages.ts';
import { fromHex, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';

export class AccountError extends CodedError<'ACCOUNT_NAME_BAD' | 'ACCOUNT_EXISTS' | 'ACCOUNT_UNKNOWN'> {}

export interface Accounts {
  /** Takes the same time for an account that does not exist. */
  signsIn(name: string, secret: string): Promise<boolean>;
  exists(name: string): Promise<boolean>;
}

const AccountFile = Type.Object({ name: AccountName, salt: hex(16), secretScrypt: hex(32) }, strict);
type AccountFile = Static<typeof AccountFile>;

/** RFC 7914; 32 MiB and some 100 ms for each attempt. */
const SCRYPT: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };
/** Crockford's base 32 in small letters: none is taken for another. */
const SECRET_LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const NOBODY: AccountFile = { name: 'nobody', salt: '00'.repeat(16), secretScrypt: '00'.repeat(32) };

export function accountFiles(dataFolder: string): Accounts {
  return {
    signsIn: async (name, secret) => {
      const account = await readAccount(dataFolder, name);
      const { salt, secretScrypt } = account ?? NOBODY;
      const right = timingSafeEqual(await hash(secret, fromHex(salt)), fromHex(secretScrypt));
      return right && account !== null;
    },
    exists: async (name) => (await readAccount(dataFolder, name)) !== null,
  };
}

/** Returns the secret, which nobody can ask for again. @throws AccountError ACCOUNT_NAME_BAD | ACCOUNT_EXISTS */
export async function addAccount(dataFolder: string, name: string): Promise<string> {
  if (!Check(AccountName, name)) {
    throw new AccountError(
      'ACCOUNT_NAME_BAD',
      `${JSON.stringify(String(name).slice(0, 60))} cannot be the name of an account`,
      {
        nextStep: 'use 1 to 32 small letters, digits and dashes, a letter or digit first',
      },
    );
  }
  const secret = newSecret();
  const salt = new Uint8Array(randomBytes(16));
  const account: AccountFile = { name, salt: toHex(salt), secretScrypt: toHex(await hash(secret, salt)) };
  await mkdir(folderOf(dataFolder), { recursive: true, mode: 0o700 });
  // `wx` is the test and the making in one; a file cut short by a crash is no account and can be removed by name.
  const file = await open(pathOf(dataFolder, name), 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new AccountError('ACCOUNT_EXISTS', `there is an account ${name} already`, {
      nextStep: `choose another name, or remove it first: cpushare broker account remove ${name}`,
    });
  });
  try {
    await file.writeFile(`${JSON.stringify(account, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return secret;
}

/** Its machines show a code again when they ask the next time. @throws AccountError ACCOUNT_UNKNOWN */
export async function removeAccount(dataFolder: string, name: string): Promise<void> {
  const known = (await listAccounts(dataFolder)).includes(name);
  if (!known) throw new AccountError('ACCOUNT_UNKNOWN', `there is no account ${JSON.stringify(name.slice(0, 60))}`);
  await rm(pathOf(dataFolder, name));
}

export async function listAccounts(dataFolder: string): Promise<string[]> {
  const files = await readdir(folderOf(dataFolder)).catch(() => []);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => Check(AccountName, name))
    .sort();
}

/** Dashes, spaces and capitals are how people write it, not part of it. */
function hash(secret: string, salt: Uint8Array): Promise<Uint8Array> {
  const plain = secret
    .toLowerCase()
    .replace(/[^0-9a-z]/g, '')
    .slice(0, 100);
  return new Promise((resolve, reject) => {
    scrypt(plain, salt, 32, SCRYPT, (error, key) => (error === null ? resolve(new Uint8Array(key)) : reject(error)));
  });
}

/** 26 letters of 5 bits, in groups, to be written down. */
function newSecret(): string {
  const letters = [...randomBytes(26)].map((byte) => SECRET_LETTERS[byte % 32]).join('');
  return letters.match(/.{1,5}/g)?.join('-') ?? '';
}

async function readAccount(dataFolder: string, name: string): Promise<AccountFile | null> {
  if (!Check(AccountName, name)) return null;
  try {
    const value: unknown = JSON.parse(await readFile(pathOf(dataFolder, name), 'utf8'));
    return Check(AccountFile, value) && value.name === name ? value : null;
  } catch {
    return null;
  }
}

const folderOf = (dataFolder: string) => join(dataFolder, 'accounts');
const pathOf = (dataFolder: string, name: string) => join(folderOf(dataFolder), `${name}.json`);
