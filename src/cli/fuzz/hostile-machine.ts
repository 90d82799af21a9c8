/**
 * A machine whose keys we hold, so that hostile parts come properly signed: an event log with a quote over the registers
 * it leads to, an IMA log, certificates. And the verifier it is judged by.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { appraiseWith } from '../../attest/appraise.ts';
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { initialPcr, replayBank } from '../../attest/event-log/replay.ts';
import { ALL_WORKAROUNDS } from '../../attest/event-log/workarounds.ts';
import { type Evidence, QUOTED_PCRS } from '../../attest/evidence.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { prepare } from '../../attest/prepare.ts';
import { type MachineOptions, newMachine } from '../../attest/testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { spkiOf } from '../../attest/testing/certificate-authority-node.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { concatBytes } from '../../shared/bytes.ts';

export interface HostileMachine {
  /** Accepted as it is, but for what the options make of it. */
  readonly genuine: Evidence;
  /** Quoted as a TPM would that saw just these events; `register10` in place of what the good boot's IMA log leads to. */
  readonly quotedOver: (eventLog: Uint8Array, register10?: Uint8Array) => Evidence;
  readonly judge: (evidence: Evidence) => Verdict;
}

/** `anchor`: trusted in place of the machine's own authority. */
export function newHostileMachine(options: MachineOptions = {}, anchor?: Uint8Array): HostileMachine {
  const machine = newMachine(options);
  const challenge = new Uint8Array(32).fill(7);
  const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const brokerId = new Uint8Array(createHash('sha256').update(spkiOf(broker)).digest());
  const genuine = machine.attest({ challenge, brokerId });
  const standing = {
    referenceValues: [referenceValuesOf(GOOD_BOOT)],
    trustAnchors: [anchor ?? machine.authority.certificate],
    extraCertificates: [],
    revocationLists: [],
    policy: policyAccepting(['software']),
  } as const;
  const prepared = prepare(standing, crypto);
  const request = { challenge, brokerId, activation: machine.activation, time: new Date('2026-11-21T12:00:00Z') };
  return {
    genuine,
    quotedOver: (eventLog, register10) => {
      const values = registersAfter(eventLog, register10 ?? genuine.pcrs.sha256?.[10] ?? new Uint8Array(32));
      const pcrDigest = crypto.hash('sha256', concatBytes(...values));
      const statement = (bytes: Uint8Array): Uint8Array => {
        const quote = decode(tpmsAttest, bytes);
        if (quote.type !== 'quote') throw new Error('the machine makes quotes');
        return encode(tpmsAttest, { ...quote, pcrDigest });
      };
      const pcrs = { sha256: Object.fromEntries(values.map((value, index) => [index, value])) };
      return { ...machine.attest({ challenge, brokerId, statement }), eventLog, pcrs };
    },
    judge: (evidence) => appraiseWith(evidence, prepared, request, crypto),
  };
}

/** @throws LogError for a log that cannot be read */
function registersAfter(eventLog: Uint8Array, register10: Uint8Array): readonly Uint8Array[] {
  const log = parseEventLog(eventLog, { padding: 'allow', workarounds: ALL_WORKAROUNDS });
  const replayed = replayBank(log, 'sha256', crypto);
  return QUOTED_PCRS.map((index) =>
    index === 10 ? register10 : (replayed?.pcrs.get(index) ?? initialPcr(index, 'sha256', log.startupLocality)),
  );
}
