/** Reports whose signatures are genuine and whose boot is one that a test chose: keys of node:crypto in place of a TPM's. */
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { UNJUDGED_TPM } from '../../src/attest/endorsement/ek.ts';
import { newMachine } from '../../src/attest/testing/attester-node.ts';
import { type Boot, GOOD_BOOT, referenceValuesOf } from '../../src/attest/testing/boot-node.ts';
import { encodeReport } from '../../src/protocol/report-document.ts';
import { fromHex, toHex } from '../../src/shared/bytes.ts';
import type { GivenFile } from './chromium.ts';

const brokerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const brokerSpki = createPublicKey(brokerKey).export({ format: 'der', type: 'spki' });
const brokerId = new Uint8Array(createHash('sha256').update(brokerSpki).digest());
const challenge = new Uint8Array(32).fill(5);
const machine = newMachine();

/** Report, reference values of the good boot, authorities and nonce. */
export function filesOf(changes: Partial<Boot>): readonly GivenFile[] {
  const report = {
    machineId: createHash('sha256').update(fromHex(machine.activation.ekName)).digest('hex'),
    brokerId,
    challenge,
    receivedAt: '2026-11-21T04:00:00.000Z',
    evidence: machine.attest({ challenge, brokerId, boot: { ...GOOD_BOOT, ...changes } }),
    activation: machine.transcript(brokerKey),
  };
  return [
    { name: 'report.json', content: JSON.stringify(encodeReport(report, opinion)) },
    { name: 'reference-values.json', content: JSON.stringify(referenceValuesOf(GOOD_BOOT)) },
    { name: 'trust.pem', content: new X509Certificate(machine.authority.certificate).toString() },
    { name: 'nonce', content: toHex(challenge) },
  ];
}

/** What a broker that lies would say: it decides nothing. */
const opinion = {
  status: 'accepted',
  checks: [],
  tpm: { ...UNJUDGED_TPM, class: 'hardware', evidence: "the broker's opinion" },
  image: null,
  pcrs: [],
  banks: [],
  firmware: null,
  workarounds: [],
  clock: null,
  claims: null,
  limits: [],
} as const;
