/** A broker for tests of the wire: real TLS, real database; keys of node:crypto in place of a TPM's. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Standing } from '../../attest/expected.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { newMachine as newAttester } from '../../attest/testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { type MachineRequest, machineRequestInput } from '../../protocol/machine-request.ts';
import type { EvidenceDocument } from '../../protocol/messages.ts';
import { toBase64 } from '../../shared/bytes.ts';
import { accountFiles } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import type { Database } from '../db/database.ts';
import { migrate } from '../db/migrations.ts';
import { openPglite } from '../db/pglite.ts';
import { createDoorbells } from '../doorbells.ts';
import { createResults } from '../ear.ts';
import { newIdentityPem, parseIdentity } from '../identity.ts';
import { judgeWith } from '../judge.ts';
import { createServer } from '../server.ts';
import { createUnattestedList } from '../unattested.ts';
import { call } from './http-client.ts';
import { someReferenceValues } from './reference-values.ts';
import { newAk, newEk, publicArea } from './tpm-keys.ts';

export const identity = parseIdentity(newIdentityPem(), 'memory');
const start = Date.parse('2026-11-21T00:00:00Z');
/** Keys of node:crypto, not of a TPM; what it signs is genuine. */
export const attester = newAttester();
export const acceptedImage = referenceValuesOf(GOOD_BOOT);

/** What a test may look at and change; filled by `describeBroker`. */
export const test: {
  nowMs: number;
  db: Database;
  context: BrokerContext;
  url: string;
  readonly logged: string[];
  /** Secrets of the credentials made, newest last: what a TPM would have decrypted. */
  readonly secrets: Uint8Array[];
  /** The broker's data folder. */
  folder: string;
} = { nowMs: start, db: undefined as never, context: undefined as never, url: '', logged: [], secrets: [], folder: '' };

/** Starts a broker on a TLS socket and an embedded database for all tests of the file. */
export function useBroker(): void {
  let folder: string;
  let app: Awaited<ReturnType<typeof createServer>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cpushare-server-'));
    test.folder = folder;
    test.db = await openPglite(join(folder, 'database'));
    await migrate(test.db);
    const policy = policyAccepting(['software']);
    const standing: Standing = {
      referenceValues: [someReferenceValues, acceptedImage],
      trustAnchors: [attester.authority.certificate],
      extraCertificates: [],
      revocationLists: [],
      policy,
    };
    test.context = {
      db: test.db,
      identity,
      version: '1.2.3',
      now: () => new Date(test.nowMs),
      makeCredential: ({ secret }) => {
        test.secrets.push(secret);
        return { credentialBlob: new Uint8Array(70), encryptedSecret: new Uint8Array(70) };
      },
      judge: judgeWith(identity.brokerId, standing),
      results: await createResults(identity, standing, '1.2.3'),
      quotedPcrs: policy.pcrs,
      unattested: createUnattestedList(10),
      accounts: accountFiles(folder),
      pairingBase: null,
      doorbells: createDoorbells(10),
      limits: {
        machines: 1000,
        outstandingEnrolments: 1000,
        verifications: { total: 6, perMachine: 2, perRequester: 5, credentials: 1 },
        pairings: { total: 12, perRequester: 10 },
      },
      nextAttestationMs: { accepted: 600_000, refused: 60_000 },
      log: (line) => test.logged.push(line),
    };
    const rate = { burst: 2000, perSecond: 1000, maxRequesters: 10 };
    app = await createServer(test.context, { rate, connections: 100 });
    test.url = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await app?.close();
    await test.db?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    test.nowMs += 10_000_000; // what earlier tests left has expired
  });
}

export const newMachine = () => ({ ekPublic: toBase64(publicArea(newEk())), akPublic: toBase64(publicArea(newAk())) });
type TestMachine = ReturnType<typeof newMachine>;

/** The session key of a run of the client on this machine. */
export interface TestSession {
  readonly publicKey: Uint8Array;
  readonly sign: (data: Uint8Array) => Uint8Array;
}

export function newSession(): TestSession {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (data) => new Uint8Array(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  };
}

/** By EK, and by machine once it has enrolled. The attester has its own, which its evidence names. */
const sessions = new Map<string, TestSession>([[attesterEk(), attester.session]]);

function attesterEk(): string {
  return toBase64(attester.attest({ challenge: new Uint8Array(32), brokerId: new Uint8Array(32) }).ekPublic);
}

export function sessionOf(machine: TestMachine): TestSession {
  const session = sessions.get(machine.ekPublic) ?? newSession();
  sessions.set(machine.ekPublic, session);
  return session;
}

/** What the machine signs to ask in its own name; `by` in place of its own session key. */
export function signed(
  purpose: MachineRequest['purpose'],
  machineId: string,
  subject = '',
  by: TestSession = sessions.get(machineId) ?? newSession(),
): string {
  return toBase64(by.sign(machineRequestInput({ purpose, machineId, subject, brokerId: identity.brokerId })));
}

export async function begin(machine: TestMachine) {
  const answer = await call(test.url, 'POST', '/v1/enrolments', { body: { ...machine, ekCertificates: [] } });
  expect(answer.status, answer.text).toBe(201);
  return { enrolmentId: String(answer.json.enrolmentId), secret: test.secrets.at(-1) ?? new Uint8Array() };
}

export const activate = (enrolmentId: string, secret: Uint8Array, session = newSession()) =>
  call(test.url, 'POST', `/v1/enrolments/${enrolmentId}/activation`, {
    body: { secret: toBase64(secret), sessionPublicKey: toBase64(session.publicKey) },
  });

export async function enrol(machine: TestMachine, session = sessionOf(machine)) {
  const begun = await begin(machine);
  const answer = await activate(begun.enrolmentId, begun.secret, session);
  expect(answer.status, answer.text).toBe(200);
  const machineId = String(answer.json.machineId);
  sessions.set(machineId, session).set(machine.ekPublic, session);
  return { ...begun, machineId };
}

export async function challenge(machineId: string) {
  const body = { signature: signed('challenge', machineId) };
  const answer = await call(test.url, 'POST', `/v1/machines/${machineId}/challenges`, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json as { challengeId: string; challenge: string; brokerId: string };
}

export const submit = (machineId: string, challengeId: string, evidence: EvidenceDocument) =>
  call(test.url, 'POST', `/v1/machines/${machineId}/evidence`, { body: { challengeId, evidence } });

/** Well formed, and proves nothing. */
export function evidenceOf(machine: TestMachine): EvidenceDocument {
  return {
    format: 'cpushare-evidence',
    version: 2,
    quote: '',
    signature: '',
    pcrs: { sha256: { '0': '00'.repeat(32) } },
    eventLog: '',
    imaLog: '',
    configuration: '',
    ekPublic: machine.ekPublic,
    akPublic: machine.akPublic,
    ekCertificates: [],
    sessionPublicKey: toBase64(sessionOf(machine).publicKey),
    claims: '',
  };
}

export async function rows(table: 'machines' | 'activated_keys' | 'reports', machineId: string): Promise<number> {
  return (await test.db.query(`SELECT 1 FROM ${table} WHERE machine_id = $1`, [machineId])).length;
}

export async function listed(machineId: string) {
  const { json } = await call(test.url, 'GET', '/v1/machines');
  return (json.machines as { machineId: string; attestation: string; reason?: string }[]).find(
    (machine) => machine.machineId === machineId,
  );
}
