/** The flow of enrolment: credential out, secret back, machine known. Rules are in enrolment.ts and tpm-keys.ts. */
import { randomBytes } from 'node:crypto';
import type {
  ActivationAnswer,
  ActivationRequest,
  EnrolmentChallenge,
  EnrolmentRequest,
} from '../protocol/messages.ts';
import { BytesError, fromBase64, toBase64, toHex } from '../shared/bytes.ts';
import type { BrokerContext } from './context.ts';
import { addEnrolment, lockEnrolment, setEnrolmentState } from './db/enrolments.ts';
import { upsertActivatedKey, upsertMachine } from './db/machines.ts';
import {
  activationRefused,
  ENROLMENT_LIFETIME_MS,
  type Enrolment,
  judgeActivation,
  machineIdOf,
  SECRET_BYTES,
  sha256Hex,
} from './enrolment.ts';
import { RequestError } from './errors.ts';
import { requireSessionKey } from './session.ts';
import { readAk, readEk, type TpmKey } from './tpm-keys.ts';

/** POST /v1/enrolments */
export async function enrol(context: BrokerContext, request: EnrolmentRequest): Promise<EnrolmentChallenge> {
  const ek = readEk(binary(request.ekPublic, 'ekPublic'));
  const ak = readAk(binary(request.akPublic, 'akPublic'));
  for (const certificate of request.ekCertificates) binary(certificate, 'ekCertificates');
  const secret = new Uint8Array(randomBytes(SECRET_BYTES));
  const credential = credentialFor(context, ek, ak, secret);
  const now = context.now();
  const enrolment: Enrolment = {
    enrolmentId: toHex(randomBytes(16)),
    state: 'open',
    secretSha256: sha256Hex(secret),
    ekName: ek.nameHex,
    ekPublic: request.ekPublic,
    ekCertificates: request.ekCertificates,
    akName: ak.nameHex,
    akPublic: request.akPublic,
    expiresAt: new Date(now.getTime() + ENROLMENT_LIFETIME_MS),
  };
  if (!(await addEnrolment(context.db, enrolment, now, context.limits.outstandingEnrolments))) {
    throw new RequestError('ENROLMENTS_FULL', 'too many machines are enrolling at this moment', {
      nextStep: `try again within ${ENROLMENT_LIFETIME_MS / 1000} s`,
    });
  }
  return {
    enrolmentId: enrolment.enrolmentId,
    credentialBlob: toBase64(credential.credentialBlob),
    encryptedSecret: toBase64(credential.encryptedSecret),
    expiresAt: enrolment.expiresAt.toISOString(),
  };
}

/** POST /v1/enrolments/:enrolmentId/activation. Machine, key and enrolment change together or not at all. */
export async function activate(
  context: BrokerContext,
  enrolmentId: string,
  request: ActivationRequest,
): Promise<ActivationAnswer> {
  const secret = binary(request.secret, 'secret');
  const sessionPublicKey = requireSessionKey(request.sessionPublicKey);
  const now = context.now();
  const activated = await context.db.transaction(async (transaction) => {
    const enrolment = await lockEnrolment(transaction, enrolmentId);
    const judgement = enrolment === null ? 'refuse' : judgeActivation(enrolment, secret, now);
    if (enrolment === null || judgement === 'refuse') return null;
    const machineId = machineIdOf(enrolment.ekName);
    if (judgement === 'repeat') return machineId;
    if (judgement === 'fail') {
      await setEnrolmentState(transaction, enrolmentId, 'failed');
      return null;
    }
    if (
      !(await upsertMachine(transaction, { ...enrolment, machineId, sessionPublicKey }, now, context.limits.machines))
    ) {
      throw new RequestError('MACHINES_FULL', `this broker takes no more than ${context.limits.machines} machines`);
    }
    await upsertActivatedKey(transaction, machineId, enrolment, now);
    await setEnrolmentState(transaction, enrolmentId, 'activated');
    return machineId;
  });
  // Outside the transaction: a failed attempt must be remembered, so it may not roll back.
  if (activated === null) throw activationRefused();
  context.log(`machine ${activated} enrolled`);
  return { machineId: activated };
}

function credentialFor(context: BrokerContext, ek: TpmKey, ak: TpmKey, secret: Uint8Array) {
  try {
    return context.makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret });
  } catch {
    // A point off its curve, a modulus that is none. Nothing of the failure goes out: it may speak of the secret.
    throw new RequestError('EK_UNSUITABLE', 'no credential can be made for this EK');
  }
}

/** @throws RequestError REQUEST_MALFORMED: the schema lets only base64 through, this only its one canonical spelling */
function binary(text: string, field: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new RequestError('REQUEST_MALFORMED', `body/${field} is not canonical base64`);
  }
}
