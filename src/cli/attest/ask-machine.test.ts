/** Waiting for the machine: what is worth another look, what is not, and when patience ends. The clock is the test's own. */

import { encode } from 'tpm2-ts/codec';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName } from 'tpm2-ts/name';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { describe, expect, it } from 'vitest';
import { newMachine } from '../../attest/testing/attester-node.ts';
import type { MachineKeys, Verification } from '../../protocol/relay-messages.ts';
import { toBase64, toHex } from '../../shared/bytes.ts';
import { BrokerConnectionError } from '../../shared/pinned-connection-node.ts';
import { BrokerClientError } from '../broker-client.ts';
import { askMachine } from './ask-machine.ts';

const brokerId = 'cd'.repeat(32);
const machine = newMachine();
const { ekPublic, akPublic } = machine.attest({ challenge: new Uint8Array(32), brokerId: new Uint8Array(32) });
const machineId = toHex(nodeDigest('sha256', objectName(ekPublic, nodeDigest)));
const keys: MachineKeys = {
  machineId,
  brokerId,
  ekPublic: toBase64(ekPublic),
  akPublic: toBase64(akPublic),
  activation: { statement: '', signature: '', brokerPublicKey: '' },
};
const waiting: Verification = { verificationId: 'ab'.repeat(16), machineId, state: 'waiting', expiresAt: '' };

async function ask(look: (count: number) => Verification | Error, given: MachineKeys = keys) {
  let nowMs = 0;
  let looks = 0;
  const said: string[] = [];
  const error = await askMachine(machineId, brokerId, {
    broker: {
      keys: async () => given,
      verify: async () => ({ verificationId: waiting.verificationId, expiresAt: '' }),
      verification: async () => {
        const found = look(looks++);
        if (found instanceof Error) throw found;
        return found;
      },
    },
    progress: (line) => said.push(line),
    pause: async (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
  }).then(
    () => null,
    (caught: Error & { code?: string }) => caught,
  );
  return { error, looks, said, nowMs };
}

describe('askMachine', () => {
  it('waits two minutes, says so now and then, and gives up', async () => {
    const { error, said, nowMs } = await ask(() => waiting);
    expect(error?.code).toBe('MACHINE_SILENT');
    expect(nowMs).toBeGreaterThanOrEqual(120_000);
    expect(said.length).toBeGreaterThan(5);
    expect(said.length).toBeLessThan(15);
  });

  it('looks again after a broken line and a pressed broker', async () => {
    const failures = [
      new BrokerConnectionError('BROKER_CUT_OFF', 'cut'),
      new BrokerConnectionError('BROKER_UNREACHABLE', 'gone'),
      new BrokerClientError('BROKER_REFUSED', 'slow down', { brokerCode: 'RATE_LIMITED' }),
    ];
    const { error, looks } = await ask((count) => failures[count] ?? { ...waiting, state: 'failed', failure: 'BUSY' });
    expect([error?.code, looks]).toEqual(['MACHINE_CANNOT_ANSWER', 4]);
  });

  it.each([
    new BrokerConnectionError('BROKER_PIN_MISMATCH', 'another key'),
    new BrokerClientError('BROKER_REFUSED', 'what?', { brokerCode: 'VERIFICATION_UNKNOWN' }),
    new BrokerClientError('BROKER_ANSWER_INVALID', 'nonsense'),
  ])('does not look again after $message', async (failure) => {
    const { error, looks } = await ask(() => failure);
    expect([error, looks]).toEqual([failure, 1]);
  });

  it.each([
    { name: 'of another machine', change: { machineId: 'ab'.repeat(32) } },
    { name: 'of another broker', change: { brokerId: 'ab'.repeat(32) } },
    { name: 'whose EK is not the one that names the machine', change: { ekPublic: toBase64(akPublic) } },
    { name: 'whose AK is none', change: { akPublic: 'AAAA' } },
    { name: 'whose EK is an empty template', change: { ekPublic: toBase64(encode(tpmtPublic, EK_TEMPLATES.ecc)) } },
  ])('sends nothing for keys $name', async ({ change }) => {
    const { error, looks } = await ask(() => waiting, { ...keys, ...change });
    expect([error?.code, looks]).toEqual(['MACHINE_KEYS_BAD', 0]);
  });
});
