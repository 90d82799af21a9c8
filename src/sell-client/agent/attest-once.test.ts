/** What enrolment gives away: the broker's own secret with the key of this session, and nothing that a buyer wrapped. */
import { describe, expect, it } from 'vitest';
import { answerableSecret } from '../../attest/quote/activation-answer.ts';
import type { ActivationRequest } from '../../protocol/messages.ts';
import { toBase64 } from '../../shared/bytes.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import { enrol } from './attest-once.ts';
import type { Session } from './session.ts';
import { createSessionKey } from './session-key.ts';

async function enrolWith(secret: Uint8Array) {
  const sent: ActivationRequest[] = [];
  const key = createSessionKey();
  const broker = {
    enrol: async () => ({ enrolmentId: 'ab', credentialBlob: 'QUJD', encryptedSecret: 'REVG', expiresAt: '' }),
    activate: async (_id: string, body: ActivationRequest) => {
      sent.push(body);
      return { machineId: 'cd'.repeat(32) };
    },
  } as unknown as BrokerClient;
  const tpm = {
    akPublic: new Uint8Array(),
    ekPublic: new Uint8Array(),
    ekCertificates: [],
    activate: async () => secret,
  };
  const session = { broker, key } as unknown as Session;
  const outcome = await enrol(session, tpm as unknown as MachineTpm).catch((error: { code?: string }) => error.code);
  return { outcome, sent, sessionPublicKey: toBase64(key.publicKey) };
}

describe('enrolment', () => {
  it("brings the broker's secret back and names the session key", async () => {
    const secret = new Uint8Array(32).fill(7);
    const { outcome, sent, sessionPublicKey } = await enrolWith(secret);
    expect(outcome).toBe('cd'.repeat(32));
    expect(sent).toEqual([{ secret: toBase64(secret), sessionPublicKey }]);
  });

  it("keeps a buyer's secret, though the broker passes it off as its own", async () => {
    const { outcome, sent } = await enrolWith(answerableSecret(new Uint8Array(24).fill(7)));
    expect([outcome, sent]).toEqual(['ENROLMENT_SECRET_FOREIGN', []]);
  });
});
