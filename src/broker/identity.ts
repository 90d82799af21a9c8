/**
 * Who this broker is: one P-256 key for TLS and for signing activation transcripts, and its certificate. Made once, kept
 * in one file so that key and certificate can never be a mixed pair, and never overwritten.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../shared/bytes.ts';
import { selfSignedCertificate } from './certificate.ts';
import { StartError } from './errors.ts';

export interface BrokerIdentity {
  readonly privateKey: KeyObject;
  readonly certificatePem: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** SHA-256 of `publicKey` in hex: the pin in the seller's configuration. */
  readonly brokerId: string;
}

const COMMON_NAME = 'cpushare-broker';

/** The identity in `folder`, made there at the first start. @throws StartError IDENTITY_BAD */
export async function openIdentity(folder: string): Promise<BrokerIdentity> {
  const path = join(folder, 'broker-identity.pem');
  const present = await readIfPresent(path);
  if (present !== null) return parseIdentity(present, path);
  await writeOnce(path, newIdentityPem());
  // Another process may have been first: what lies in the file is the identity, not what was just made.
  return parseIdentity(await readFile(path, 'utf8'), path);
}

/** @throws StartError IDENTITY_BAD: unreadable, not P-256, or key and certificate do not belong together */
export function parseIdentity(pem: string, path: string): BrokerIdentity {
  try {
    const privateKey = createPrivateKey(pem);
    const certificate = new X509Certificate(pem);
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the key is not a P-256 key');
    if (!certificate.checkPrivateKey(privateKey)) throw new Error('the certificate belongs to another key');
    const publicKey = new Uint8Array(certificate.publicKey.export({ type: 'spki', format: 'der' }));
    const brokerId = toHex(createHash('sha256').update(publicKey).digest());
    return { privateKey, certificatePem: certificate.toString(), publicKey, brokerId };
  } catch (cause) {
    throw new StartError('IDENTITY_BAD', `the broker's identity in ${path} cannot be used`, {
      cause,
      nextStep: `restore ${path} from a backup; or remove it for a new identity, which every seller must then pin anew`,
    });
  }
}

export function newIdentityPem(): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = selfSignedCertificate({ commonName: COMMON_NAME, publicKey, privateKey, serialNumber: randomBytes(16) });
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${new X509Certificate(der).toString()}`;
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StartError('IDENTITY_BAD', `the broker's identity in ${path} cannot be read`, {
      cause: error,
      nextStep: 'run the broker as the user who owns its data folder',
    });
  }
}

/** Whole on disk before it has its name, and never over a file that is already there. */
async function writeOnce(path: string, text: string): Promise<void> {
  const temporary = `${path}.${toHex(randomBytes(6))}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await unlink(temporary);
  }
}
