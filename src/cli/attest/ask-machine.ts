/**
 * A check of one's own: a fresh challenge and a credential for the machine's EK and AK go through the broker, its evidence
 * and its answer come back. The broker only carries; what it could still do is not to carry, and that is said.
 */
import { randomBytes } from 'node:crypto';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { makeCredential } from 'tpm2-ts/make-credential-node';
import { objectName } from 'tpm2-ts/name';
import type { Evidence } from '../../attest/evidence.ts';
import { ANSWERABLE_RANDOM_BYTES, answerableSecret } from '../../attest/quote/activation-answer.ts';
import { decodeEvidence } from '../../protocol/evidence-document.ts';
import type { MachineKeys, Verification } from '../../protocol/relay-messages.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { BrokerConnectionError } from '../../shared/pinned-connection-node.ts';
import { type BrokerClient, BrokerClientError } from '../broker-client.ts';

export class AskError extends CodedError<'MACHINE_KEYS_BAD' | 'MACHINE_SILENT' | 'MACHINE_CANNOT_ANSWER'> {}

export interface AskPorts {
  readonly broker: Pick<BrokerClient, 'keys' | 'verify' | 'verification'>;
  /** One line about what goes on. */
  progress(line: string): void;
  pause(ms: number): Promise<void>;
  nowMs(): number;
}

export interface AnsweredAsk {
  readonly challenge: Uint8Array;
  /** What the credential held: only who asked knows it. */
  readonly secret: Uint8Array;
  /** Names that the credential was made for, hex. */
  readonly ekName: string;
  readonly akName: string;
  readonly keys: MachineKeys;
  /** Untrusted until judged. */
  readonly evidence: Evidence;
  /** As it came back; null when none did. */
  readonly answer: Uint8Array | null;
}

/** Most machines answer within a second; after that there is no hurry. */
const POLL_MS = { first: 250, most: 1000 };
/** The broker gives the machine 90 s; the rest is for slow lines. */
const PATIENCE_MS = 120_000;
const SAY_EVERY_MS = 10_000;

/** @throws AskError, BrokerClientError, BrokerConnectionError */
export async function askMachine(machineId: string, brokerId: string, ports: AskPorts): Promise<AnsweredAsk> {
  const keys = await ports.broker.keys(machineId);
  const challenge = new Uint8Array(randomBytes(32));
  const secret = answerableSecret(new Uint8Array(randomBytes(ANSWERABLE_RANDOM_BYTES)));
  const { ekName, akName, credential } = credentialFor(keys, { machineId, brokerId, secret });
  const receipt = await ports.broker.verify(machineId, { challenge: toHex(challenge), credential });
  ports.progress(`challenge sent to machine ${machineId.slice(0, 8)} through the broker`);
  const answered = await untilAnswered(receipt.verificationId, ports);
  if (answered.state === 'failed' || answered.evidence === undefined) throw cannotAnswer(answered.failure);
  return {
    challenge,
    secret,
    ekName: toHex(ekName),
    akName: toHex(akName),
    keys,
    evidence: decodeEvidence(answered.evidence),
    answer: answered.answer === undefined ? null : fromHex(answered.answer),
  };
}

/** The id is SHA-256 of the EK's Name, so the broker cannot hand out the EK of another machine. */
function credentialFor(
  keys: MachineKeys,
  { machineId, brokerId, secret }: { machineId: string; brokerId: string; secret: Uint8Array },
) {
  const bad = (reason: string, cause?: unknown) =>
    new AskError('MACHINE_KEYS_BAD', `the broker hands out keys that cannot be this machine's: ${reason}`, {
      ...(cause === undefined ? {} : { cause }),
      nextStep: 'check the machine id; if it is right, do not trust this broker',
    });
  if (keys.machineId !== machineId || keys.brokerId !== brokerId) throw bad('they are headed with another id');
  try {
    const ekPublic = fromBase64(keys.ekPublic);
    const [ekName, akName] = [ekPublic, fromBase64(keys.akPublic)].map((area) => objectName(area, nodeDigest));
    if (ekName === undefined || akName === undefined) throw bad('one is missing');
    const actual = toHex(nodeDigest('sha256', ekName));
    if (actual !== machineId) throw bad(`the EK is that of machine ${actual}`);
    const { credentialBlob, encryptedSecret } = makeCredential({ ekPublic, akName, secret });
    const credential = { credentialBlob: toBase64(credentialBlob), encryptedSecret: toBase64(encryptedSecret) };
    return { ekName, akName, credential };
  } catch (cause) {
    throw cause instanceof AskError ? cause : bad('no credential can be made for them', cause);
  }
}

async function untilAnswered(verificationId: string, ports: AskPorts): Promise<Verification> {
  const startMs = ports.nowMs();
  let saidMs = startMs;
  for (let pauseMs = POLL_MS.first; ; pauseMs = Math.min(2 * pauseMs, POLL_MS.most)) {
    const found = await look(verificationId, ports);
    if (found !== null && found.state !== 'waiting') return found;
    const waitedMs = ports.nowMs() - startMs;
    if (waitedMs >= PATIENCE_MS) throw silent();
    if (ports.nowMs() - saidMs >= SAY_EVERY_MS) {
      saidMs = ports.nowMs();
      ports.progress(`waiting for the machine (${Math.round(waitedMs / 1000)} s)`);
    }
    await ports.pause(pauseMs);
  }
}

/** Null when it is worth to look again: a line that broke, a broker that is pressed. */
async function look(verificationId: string, { broker }: AskPorts): Promise<Verification | null> {
  try {
    return await broker.verification(verificationId);
  } catch (error) {
    if (error instanceof BrokerConnectionError && error.code !== 'BROKER_PIN_MISMATCH') return null;
    if (!(error instanceof BrokerClientError)) throw error;
    if (error.brokerCode === 'RATE_LIMITED') return null;
    throw error.brokerCode === 'VERIFICATION_EXPIRED' ? silent(error) : error;
  }
}

function silent(cause?: unknown): AskError {
  return new AskError('MACHINE_SILENT', 'the machine did not answer in time', {
    ...(cause === undefined ? {} : { cause }),
    nextStep: 'check in the list of machines when it was last seen, then ask again',
  });
}

function cannotAnswer(failure: Verification['failure']): AskError {
  const reasons = {
    BUSY: 'it has answered too many checks lately',
    CREDENTIAL_REFUSED: 'its TPM did not open the credential made for its EK and AK',
    TPM_FAILED: 'its TPM failed',
  };
  const reason = failure === undefined ? 'it gave no reason' : reasons[failure];
  const nextStep =
    failure === 'CREDENTIAL_REFUSED'
      ? 'ask again once; if it stays, the AK is not in this TPM or somebody changed the credential on the way'
      : 'ask again in a few minutes';
  return new AskError('MACHINE_CANNOT_ANSWER', `the machine cannot answer: ${reason}`, { nextStep });
}
