/**
 * A broker of one process's memory for tests: real TLS, real credentials, and every quote judged by src/attest up to
 * the claims. Whether the boot chain is ours is not its subject: the test says what the verdict shall be.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { makeCredential } from 'tpm2-ts/make-credential-node';
import { objectName } from 'tpm2-ts/name';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { type Evidence, QUOTED_PCRS } from '../../attest/evidence.ts';
import type { Expected } from '../../attest/expected.ts';
import { newLedger } from '../../attest/ledger.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../../attest/policy/policies.ts';
import { parseClaims } from '../../attest/quote/claims.ts';
import { judgeKeys } from '../../attest/quote/keys.ts';
import { publicAreas } from '../../attest/quote/public-area.ts';
import { judgeQuote } from '../../attest/quote/quote.ts';
import { verifyP256 } from '../../attest/quote/session-key.ts';
import { selfSignedCertificate } from '../../broker/certificate.ts';
import { decodeEvidence } from '../../protocol/evidence-document.ts';
import { type MachineRequest, machineRequestInput } from '../../protocol/machine-request.ts';
import type { PendingVerification, VerificationAnswer } from '../../protocol/relay-messages.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../../shared/bytes.ts';

export interface TestBroker {
  readonly url: string;
  readonly pin: string;
  /** Evidence whose signature, binding, selection, values and claims held. */
  readonly proven: readonly Evidence[];
  readonly enrolments: number;
  /** HTTP requests that arrived, whatever came of them. */
  readonly requests: number;
  readonly notices: readonly unknown[];
  /** What buyers want, for whichever machine asks first; and what came of it, by verification id. */
  readonly checks: PendingVerification[];
  readonly checked: ReadonlyMap<string, VerificationAnswer>;
  /** `accepted` from the start. */
  verdict: 'accepted' | 'refused';
  forgetMachines(): void;
  stop(): Promise<void>;
  /** On the same port and with the same key, as after a restart. */
  start(): Promise<void>;
}

export async function startTestBroker(): Promise<TestBroker> {
  const tls = tlsIdentity();
  const memory = {
    verdict: 'accepted' as TestBroker['verdict'],
    enrolments: 0,
    requests: 0,
    proven: [] as Evidence[],
    notices: [] as unknown[],
    checks: [] as PendingVerification[],
    checked: new Map<string, VerificationAnswer>(),
    pending: new Map<string, { secret: Uint8Array; machineId: string; akPublic: string }>(),
    machines: new Map<string, Known>(),
    challenges: new Map<string, string>(),
    pin: tls.pin,
  };
  let port = 0;
  let server: Server;
  const start = async () => {
    server = createServer({ key: tls.key, cert: tls.certificate }, (request, response) => {
      answer(request, memory)
        .catch((error: Error) => ({ status: 400, body: { code: 'TEST_BROKER_REFUSES', message: error.message } }))
        .then(({ status, body }) => send(response, status, body));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  await start();
  return Object.assign(memory, {
    url: `https://127.0.0.1:${port}`,
    forgetMachines: () => memory.machines.clear(),
    start,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

interface Known {
  readonly akPublic: string;
  readonly sessionPublicKey: string;
}

type Memory = Pick<TestBroker, 'verdict' | 'pin' | 'checks'> & {
  checked: Map<string, VerificationAnswer>;
  enrolments: number;
  requests: number;
  proven: Evidence[];
  notices: unknown[];
  pending: Map<string, { secret: Uint8Array; machineId: string; akPublic: string }>;
  machines: Map<string, Known>;
  challenges: Map<string, string>;
};

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(request: IncomingMessage, memory: Memory): Promise<Answer> {
  memory.requests += 1;
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const body = parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString('utf8'));
  const [, version, collection, id = '', action, subject = ''] = (request.url ?? '').split('/');
  if (version !== 'v1') return { status: 404, body: { code: 'NOT_FOUND', message: 'no such place' } };
  if (collection === 'unattested') {
    memory.notices.push(body);
    return { status: 202, body: {} };
  }
  if (collection === 'enrolments') return id === '' ? enrolment(body, memory) : activation(id, body, memory);
  const known = memory.machines.get(id);
  if (known === undefined) return { status: 404, body: { code: 'MACHINE_UNKNOWN', message: 'not enrolled here' } };
  if (action === 'evidence') return evidence(body, known.akPublic, memory);
  const purpose = { challenges: 'challenge', pending: 'pending' }[String(action)] ?? 'answer';
  requireSigned(body, known, { purpose: purpose as MachineRequest['purpose'], machineId: id, subject }, memory);
  if (action === 'challenges') return challenge(memory);
  if (action === 'pending') return { status: 200, body: { verification: memory.checks[0], nextPollMs: 1000 } };
  if (memory.checks.shift()?.verificationId !== subject) throw new Error('nobody asked for this');
  memory.checked.set(subject, body);
  return { status: 204, body: {} };
}

function requireSigned(
  { signature }: { signature: string },
  known: Known,
  request: Omit<MachineRequest, 'brokerId'>,
  { pin }: Memory,
): void {
  const input = machineRequestInput({ ...request, brokerId: pin });
  const [key, signed] = [fromBase64(known.sessionPublicKey), fromBase64(signature)];
  if (!verifyP256(key, input, signed, nodeAttestCrypto)) throw new Error('not signed by the session key');
}

function enrolment(body: { ekPublic: string; akPublic: string }, memory: Memory): Answer {
  memory.enrolments += 1;
  const [ekPublic, secret] = [fromBase64(body.ekPublic), randomBytes(32)];
  const akName = objectName(fromBase64(body.akPublic), nodeDigest);
  const credential = makeCredential({ ekPublic, akName, secret });
  const machineId = toHex(createHash('sha256').update(objectName(ekPublic, nodeDigest)).digest());
  const enrolmentId = randomBytes(16).toString('hex');
  memory.pending.set(enrolmentId, { secret, machineId, akPublic: body.akPublic });
  return {
    status: 201,
    body: {
      enrolmentId,
      credentialBlob: toBase64(credential.credentialBlob),
      encryptedSecret: toBase64(credential.encryptedSecret),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    },
  };
}

function activation(id: string, body: { secret: string; sessionPublicKey: string }, memory: Memory): Answer {
  const pending = memory.pending.get(id);
  if (pending === undefined || toBase64(pending.secret) !== body.secret) throw new Error('wrong secret');
  memory.machines.set(pending.machineId, { ...pending, sessionPublicKey: body.sessionPublicKey });
  return { status: 200, body: { machineId: pending.machineId } };
}

function challenge(memory: Memory): Answer {
  const [challengeId, asked] = [randomBytes(16).toString('hex'), randomBytes(32).toString('hex')];
  memory.challenges.set(challengeId, asked);
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const pcrSelection = { bank: 'sha256', pcrs: QUOTED_PCRS };
  return { status: 201, body: { challengeId, challenge: asked, brokerId: memory.pin, pcrSelection, expiresAt } };
}

function evidence(body: { challengeId: string; evidence: unknown }, akPublic: string, memory: Memory): Answer {
  const asked = memory.challenges.get(body.challengeId);
  memory.challenges.delete(body.challengeId);
  if (asked === undefined) throw new Error('no such challenge');
  const given = decodeEvidence(body.evidence);
  if (toBase64(given.akPublic) !== akPublic) throw new Error('another AK');
  const names = ['keys', 'ak-attributes', 'quote-signature', 'quote-format', 'quote-signer', 'quote-binding'];
  const ledger = newLedger([...names, 'quote-selection', 'quote-values']);
  const keys = judgeKeys(given, publicAreas(nodeAttestCrypto), ledger);
  const expected = { challenge: fromHex(asked), brokerId: fromHex(memory.pin), policy: demoPolicyAcceptingSoftwareTpm };
  if (keys !== null) judgeQuote(given, expected as unknown as Expected, keys, nodeAttestCrypto, ledger);
  const failed = ledger.checks().find((check) => check.status !== 'passed');
  if (failed !== undefined) throw new Error(`${failed.name}: ${failed.sentence}`);
  parseClaims(given.claims);
  memory.proven.push(given);
  const refusal = {
    name: 'initrd',
    status: 'failed',
    code: 'INITRD_DIFFERS',
    sentence: 'the initrd differs',
    remedy: 'write it again',
  };
  const checks = memory.verdict === 'accepted' ? [] : [refusal];
  return { status: 200, body: { status: memory.verdict, checks, nextAttestationMs: 60_000 } };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? '' : JSON.stringify(body));
}

function tlsIdentity(): { key: string; certificate: string; pin: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicKey: KeyObject = createPublicKey(createPrivateKey(key));
  const der = selfSignedCertificate({
    commonName: 'broker.test',
    publicKey,
    privateKey,
    serialNumber: randomBytes(16),
  });
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return {
    key,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    pin: toHex(
      createHash('sha256')
        .update(publicKey.export({ type: 'spki', format: 'der' }))
        .digest(),
    ),
  };
}
