/**
 * Who speaks for a machine: the session key that came with its activation secret. Only the machine could bring that secret,
 * so nobody else can name a key, void its challenges or take what verifiers ask of it.
 */
import { createPublicKey } from 'node:crypto';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import { verifyP256 } from '../attest/quote/session-key.ts';
import { type MachineRequest, machineRequestInput } from '../protocol/machine-request.ts';
import { fromBase64, toBase64 } from '../shared/bytes.ts';
import type { BrokerContext } from './context.ts';
import { findMachine, type Machine } from './db/machines.ts';
import { sha256Hex } from './enrolment.ts';
import { machineUnknown, RequestError } from './errors.ts';

/** The machine, once `signature` says that it asks this itself. @throws RequestError MACHINE_UNKNOWN | SESSION_NOT_OF_MACHINE */
export async function requireMachine(
  context: BrokerContext,
  request: Omit<MachineRequest, 'brokerId'>,
  signature: string,
): Promise<Machine> {
  const machine = await findMachine(context.db, request.machineId);
  if (machine === null) throw machineUnknown();
  const input = machineRequestInput({ ...request, brokerId: context.identity.brokerId });
  if (machine.sessionPublicKey === null || !signs(machine.sessionPublicKey, input, signature)) {
    throw sessionNotOfMachine('this request is not signed by the session key that the machine enrolled with');
  }
  return machine;
}

/**
 * The same for a machine that may have no TPM: it has not enrolled, brings its session key along, and its id is the
 * SHA-256 of it. Returns whether it enrolled. @throws RequestError MACHINE_UNKNOWN | SESSION_NOT_OF_MACHINE | REQUEST_MALFORMED
 */
export async function requireMachineOrSession(
  context: BrokerContext,
  request: Omit<MachineRequest, 'brokerId'>,
  signature: string,
  sessionPublicKey: string | undefined,
): Promise<{ readonly enrolled: boolean }> {
  if (sessionPublicKey === undefined) {
    await requireMachine(context, request, signature);
    return { enrolled: true };
  }
  const key = requireSessionKey(sessionPublicKey);
  const input = machineRequestInput({ ...request, brokerId: context.identity.brokerId });
  if (sha256Hex(fromBase64(key)) !== request.machineId || !signs(key, input, signature)) {
    throw sessionNotOfMachine('this request is not signed by the session key that it brings');
  }
  return { enrolled: false };
}

export function sessionNotOfMachine(message: string): RequestError {
  return new RequestError('SESSION_NOT_OF_MACHINE', message, { nextStep: 'enrol again: POST /v1/enrolments' });
}

/** The same text. @throws RequestError REQUEST_MALFORMED unless it is the SubjectPublicKeyInfo of a P-256 key, in its one spelling */
export function requireSessionKey(text: string): string {
  try {
    const der = fromBase64(text);
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    const again = key.export({ format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && toBase64(again) === text) return text;
  } catch {
    // Said below, and nothing of what OpenSSL thinks of a stranger's bytes.
  }
  throw new RequestError('REQUEST_MALFORMED', 'body/sessionPublicKey is not a P-256 key');
}

function signs(spki: string, input: Uint8Array, signature: string): boolean {
  try {
    return verifyP256(fromBase64(spki), input, fromBase64(signature), nodeAttestCrypto);
  } catch {
    return false;
  }
}
