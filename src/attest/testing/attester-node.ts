/**
 * An attester for tests without a TPM: it makes genuine evidence with node:crypto keys, from the boot of a small image
 * whose parts can be changed one by one. What it signs is right; what a test changes afterwards is not.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type TpmsAttest, tpmsAttest } from 'tpm2-ts/attest';
import { encode } from 'tpm2-ts/codec';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName, primaryQualifiedName } from 'tpm2-ts/name';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { tpmtSignature } from 'tpm2-ts/signature';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { type Evidence, type MachineClaims, QUOTED_PCRS } from '../evidence.ts';
import { type ActivationTranscript, activationSignatureInput, encodeActivationStatement } from '../quote/activation.ts';
import { encodeClaims } from '../quote/claims.ts';
import { type QuoteRole, qualifyingData } from '../quote/qualifying-data.ts';
import { type Boot, bootEvents, GOOD_BOOT, measureRuntime, replay } from './boot-node.ts';
import { type Authority, ekCertificate, newAuthority } from './certificate-authority-node.ts';
import * as log from './event-log-writer.ts';

const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const spki = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
const p1363 = (data: Uint8Array, key: KeyObject): Uint8Array =>
  new Uint8Array(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }));

/** One machine with its TPM: keys, certificate, and how to quote. */
export interface Machine {
  readonly authority: Authority;
  readonly activation: { readonly kind: 'witnessed'; readonly ekName: string; readonly akName: string };
  /** Signed by `broker`; `statement` in place of the true one. */
  readonly transcript: (broker: KeyObject, statement?: string) => ActivationTranscript;
  readonly attest: (request: AttestRequest) => Evidence;
  /** SubjectPublicKeyInfo of the session key in all evidence, and what it signs (P1363). */
  readonly session: { readonly publicKey: Uint8Array; readonly sign: (data: Uint8Array) => Uint8Array };
}

export interface AttestRequest {
  readonly challenge: Uint8Array;
  readonly brokerId: Uint8Array;
  readonly boot?: Boot;
  /** As whom it is asked; `seller` when absent. */
  readonly role?: QuoteRole;
  /** In place of the log that the boot would write; registers follow it. */
  readonly events?: readonly log.WrittenEvent[];
  /** Changes the statement before it is signed: what only a forger's key could do. */
  readonly statement?: (attest: Uint8Array) => Uint8Array;
  readonly claims?: Partial<MachineClaims>;
  /** Counters of the TPM at this quote. */
  readonly clock?: Partial<TpmsAttest['clockInfo']>;
  readonly firmwareVersion?: bigint;
  /** Registers to quote in place of all. */
  readonly quoted?: readonly number[];
}

export interface MachineOptions {
  readonly authority?: Authority;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly akAttributes?: Partial<
    Record<'restricted' | 'decrypt' | 'fixedTpm' | 'fixedParent' | 'sensitiveDataOrigin', boolean>
  >;
  readonly certificates?: (ekSpki: Uint8Array, authority: Authority) => readonly Uint8Array[];
}

export function newMachine(options: MachineOptions = {}): Machine {
  const authority = options.authority ?? newAuthority('swtpm-localca');
  const [ekKey, akKey, sessionKey] = [p256(), p256(), p256()];
  const ekPublic = eccPublic(ekKey, { restricted: true, decrypt: true, sign: false });
  const akPublic = eccPublic(akKey, { restricted: true, decrypt: false, sign: true, ...options.akAttributes });
  const ekCertificates = options.certificates?.(spki(ekKey), authority) ?? [
    ekCertificate(authority, spki(ekKey), {
      manufacturer: options.manufacturer ?? 'id:00001014',
      model: options.model ?? 'swtpm',
    }),
  ];
  const names = { ekName: toHex(objectName(ekPublic, nodeDigest)), akName: toHex(objectName(akPublic, nodeDigest)) };
  return {
    authority,
    activation: { kind: 'witnessed', ...names },
    transcript: (broker, stated) => {
      const statement =
        stated === undefined
          ? encodeActivationStatement({ ...names, activatedAt: '2026-11-21T04:00:00.000Z' })
          : new TextEncoder().encode(stated);
      return {
        statement,
        signature: p1363(activationSignatureInput(statement), broker),
        brokerPublicKey: spki(broker),
      };
    },
    session: { publicKey: spki(sessionKey), sign: (data) => p1363(data, sessionKey) },
    attest: (request) => {
      const boot = request.boot ?? GOOD_BOOT;
      const events = request.events ?? bootEvents(boot);
      const pcrs = replay(events);
      const ima = measureRuntime(boot, pcrs);
      const sessionPublicKey = spki(sessionKey);
      const claims = encodeClaims({ ...CLAIMS, challenge: toHex(request.challenge), ...request.claims });
      const { role = 'seller' } = request;
      const extraData = qualifyingData({ ...request, sessionPublicKey, role, claims }, crypto);
      const attested = encode(tpmsAttest, {
        type: 'quote',
        qualifiedSigner: primaryQualifiedName(akPublic, nodeDigest),
        extraData,
        clockInfo: { clock: 1000n, resetCount: 1, restartCount: 0, safe: true, ...request.clock },
        firmwareVersion: request.firmwareVersion ?? 1n,
        pcrSelect: [{ hash: 'sha256', pcrs: request.quoted ?? QUOTED_PCRS }],
        pcrDigest: crypto.hash('sha256', concatBytes(...pcrs)),
      });
      const quote = request.statement?.(attested) ?? attested;
      const raw = p1363(quote, akKey);
      return {
        quote,
        signature: encode(tpmtSignature, { algorithm: 'ecdsa', hash: 'sha256', r: raw.slice(0, 32), s: raw.slice(32) }),
        pcrs: { sha256: Object.fromEntries(pcrs.map((value, index) => [index, value])) },
        eventLog: log.writeEventLog(events, crypto),
        imaLog: ima,
        configuration: boot.configuration,
        akPublic,
        ekPublic,
        ekCertificates,
        sessionPublicKey,
        claims,
      };
    },
  };
}

const CLAIMS: MachineClaims = {
  clientVersion: '0.1.0',
  challenge: '',
  accelerator: { name: 'tcg', reason: 'no /dev/kvm' },
  cpuModel: 'test',
  memoryBytes: 536_870_912,
  secureBoot: true,
  bootMode: 'uefi',
  uptimeMs: 20_000,
};

function eccPublic(
  key: KeyObject,
  use: { restricted: boolean; decrypt: boolean; sign: boolean; [attribute: string]: boolean },
): Uint8Array {
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  const coordinate = (value: string | undefined): Uint8Array => new Uint8Array(Buffer.from(value ?? '', 'base64url'));
  const { sign: signEncrypt, ...attributes } = use;
  return encode(tpmtPublic, {
    type: 'ecc',
    nameAlg: 'sha256',
    attributes: {
      fixedTpm: true,
      stClear: false,
      fixedParent: true,
      sensitiveDataOrigin: true,
      userWithAuth: true,
      adminWithPolicy: false,
      firmwareLimited: false,
      svnLimited: false,
      noDa: true,
      encryptedDuplication: false,
      x509Sign: false,
      signEncrypt,
      ...attributes,
    },
    authPolicy: new Uint8Array(),
    symmetric: signEncrypt ? { algorithm: 'null' } : { algorithm: 'aes', keyBits: 128, mode: 'cfb' },
    scheme: signEncrypt ? { algorithm: 'ecdsa', hash: 'sha256' } : { algorithm: 'null' },
    curve: 'p256',
    kdf: { algorithm: 'null' },
    unique: { x: coordinate(x), y: coordinate(y) },
  });
}
