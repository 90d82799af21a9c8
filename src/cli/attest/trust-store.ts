/** Trust stores on disk: one file in a folder, replaced as a whole, so that an import is there entirely or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { Standing } from '../../attest/expected.ts';
import { EMPTY_STORE, encodeTrustStore, parseTrustStore, type TrustStore } from '../../attest/trust/store.ts';
import { CodedError } from '../../shared/errors.ts';
import { lockFolder } from '../../shared/folder-lock-node.ts';

export class TrustFolderError extends CodedError<
  'TRUST_STORE_MISSING' | 'TRUST_STORE_BUSY' | 'TRUST_STORE_UNWRITABLE'
> {}

const FILE = 'trust-store.json';

/** What a verifier takes out of a store. */
export type LoadedTrust = Required<
  Pick<Standing, 'trustAnchors' | 'anchorClasses' | 'extraCertificates' | 'revocationLists'>
>;

/** `$XDG_DATA_HOME/cpushare/trust`, or the place that stands for it. */
export function defaultTrustFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_DATA_HOME: data } = env;
  const base = data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local', 'share');
  return join(base, 'cpushare', 'trust');
}

/** @throws TrustFolderError when there is none, TrustStoreError when it cannot be read */
export async function loadTrustStore(folder: string): Promise<LoadedTrust> {
  const store = await readTrustStore(folder);
  if (store === null) {
    throw new TrustFolderError('TRUST_STORE_MISSING', `there is no trust store in ${folder}`, {
      nextStep: 'import the authorities you trust first: cpushare attest trust import FILE…',
    });
  }
  const stated = store.anchors.flatMap(({ fingerprint, statedClass }) =>
    statedClass === null ? [] : [[fingerprint, statedClass] as const],
  );
  return {
    trustAnchors: store.anchors.map(({ certificate }) => certificate.der),
    anchorClasses: Object.fromEntries(stated),
    extraCertificates: store.intermediates.map(({ certificate }) => certificate.der),
    revocationLists: store.revocationLists.map(({ der }) => der),
  };
}

/** Null where nothing was imported yet. @throws TrustStoreError */
export async function readTrustStore(folder: string): Promise<TrustStore | null> {
  let json: Uint8Array;
  try {
    json = await readFile(join(folder, FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseTrustStore(json, nodeAttestCrypto);
}

/** Reads, changes and replaces the store, alone. Nothing is written when `change` throws. @throws TrustFolderError */
export async function changeTrustStore<T extends { readonly store: TrustStore }>(
  folder: string,
  change: (store: TrustStore) => T,
): Promise<T> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  const release = await lockFolder('trust-store', await realpath(resolve(folder)));
  if (release === null) {
    throw new TrustFolderError('TRUST_STORE_BUSY', `another import into ${folder} is running`, {
      nextStep: 'wait until it has ended, then try again',
    });
  }
  try {
    const result = change((await readTrustStore(folder)) ?? EMPTY_STORE);
    await replace(folder, encodeTrustStore(result.store));
    return result;
  } finally {
    await release();
  }
}

async function replace(folder: string, content: string): Promise<void> {
  const temporary = join(folder, `.${FILE}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, FILE));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw unwritable(folder, cause);
  }
}

const unwritable = (folder: string, cause: unknown): TrustFolderError =>
  new TrustFolderError('TRUST_STORE_UNWRITABLE', `the trust store in ${folder} cannot be written`, {
    cause,
    nextStep: 'make the folder writable, or name another: --store DIR',
  });
