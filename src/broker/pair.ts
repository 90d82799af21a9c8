/** The flow of pairing on the machine's side: a code to show, and what became of it. The seller's side is in routes/pair-page.ts. */
import { randomBytes } from 'node:crypto';
import type { PairingAnswer, PairingPoll, PairingRequest, PairingStatus } from '../protocol/pairing-messages.ts';
import { toHex } from '../shared/bytes.ts';
import type { BrokerContext } from './context.ts';
import { addPairing, pollPairing, seeAccountOf } from './db/pairings.ts';
import {
  newUserCode,
  PAIRING_LIFETIME_SECONDS,
  POLL_INTERVAL_SECONDS,
  sha256Text,
  verificationUris,
} from './pairing.ts';
import { requesterOf } from './rate-limit.ts';
import { requireMachineOrSession } from './session.ts';

export interface Asking {
  /** The machine's address. */
  readonly address: string;
  /** HOST:PORT as the machine called us: what its seller can call, too. */
  readonly host: string;
}

/** POST /v1/pairings */
export async function requestPairing(
  context: BrokerContext,
  request: PairingRequest,
  asking: Asking,
): Promise<PairingAnswer> {
  const { machineId, sessionPublicKey, facts, signature } = request;
  const asked = { machineId, purpose: 'pair', subject: '' } as const;
  const { enrolled } = await requireMachineOrSession(context, asked, signature, sessionPublicKey);
  const now = context.now();
  const known = await seeAccountOf(context.db, machineId, now);
  if (known !== null && (await context.accounts.exists(known.account))) {
    return { status: 'paired', account: known.account, lasting: known.lasting };
  }
  const [deviceCode, userCode] = [toHex(randomBytes(32)), newUserCode()];
  const fresh = {
    deviceCodeSha256: sha256Text(deviceCode),
    userCodeSha256: sha256Text(userCode),
    machineId,
    lasting: enrolled,
    facts,
    address: asking.address,
    requester: requesterOf(asking.address),
    intervalSeconds: POLL_INTERVAL_SECONDS,
    expiresAt: new Date(now.getTime() + PAIRING_LIFETIME_SECONDS * 1000),
  };
  await addPairing(context.db, fresh, now, context.limits.pairings);
  const uris = verificationUris(context.pairingBase ?? `https://${asking.host}`, userCode);
  return {
    status: 'waiting',
    deviceCode,
    userCode,
    verificationUri: uris.plain,
    verificationUriComplete: uris.complete,
    expiresInSeconds: PAIRING_LIFETIME_SECONDS,
    intervalSeconds: POLL_INTERVAL_SECONDS,
  };
}

/** POST /v1/pairings/token */
export async function pairingStatus(context: BrokerContext, poll: PairingPoll): Promise<PairingStatus> {
  const { machineId, deviceCode, signature, sessionPublicKey } = poll;
  const asked = { machineId, purpose: 'pair-poll', subject: deviceCode } as const;
  const { enrolled } = await requireMachineOrSession(context, asked, signature, sessionPublicKey);
  const which = { deviceCodeSha256: sha256Text(deviceCode), machineId };
  const judged = await pollPairing(context.db, which, context.now());
  if (judged.status === 'paired') return { status: 'paired', account: judged.account, lasting: enrolled };
  return { status: judged.status };
}
