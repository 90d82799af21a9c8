/** Judges who vouches for the TPM, and whether the policy takes a TPM of that class. */
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import type { Request } from '../expected.ts';
import type { Ledger } from '../ledger.ts';
import type { Prepared } from '../prepare.ts';
import type { JudgedKeys } from '../quote/keys.ts';
import { type JudgedTpm, judgeEk, type TpmIdentity } from './ek.ts';

export function judgeTpm(
  evidence: Evidence,
  keys: JudgedKeys,
  expected: Prepared & Request,
  crypto: AttestCrypto,
  ledger: Ledger,
): TpmIdentity | null {
  const judged = judgeEk(evidence.ekCertificates, keys.ek.key, expected.trust, expected.time, crypto);
  if ('code' in judged) {
    ledger.fail('ek-certificate', judged);
    return null;
  }
  const { identity, unknownCode } = judged;
  ledger.pass('ek-certificate', `${identity.evidence}.`);
  if (expected.policy.acceptedTpmClasses.includes(identity.class)) {
    ledger.pass('tpm-class', `The TPM is of class ${identity.class}, which the policy accepts.`);
  } else {
    ledger.fail('tpm-class', {
      code: unknownCode ?? 'TPM_CLASS_NOT_ACCEPTED',
      family: 'policy',
      sentence: `The TPM is of class ${identity.class}, accepted are: ${expected.policy.acceptedTpmClasses.join(', ')}. ${identity.evidence}.`,
      remedy: remedyFor(judged),
      difference: {
        component: 'TPM class',
        expected: expected.policy.acceptedTpmClasses.join(', '),
        actual: identity.class,
      },
    });
  }
  return identity;
}

function remedyFor({ identity, unknownCode }: JudgedTpm): string {
  if (unknownCode === 'EK_CERTIFICATE_MISSING') {
    return 'Makers of firmware TPMs hand the certificate out: "cpushare attest trust ek-url REPORT" prints where; give the file with --ek-certificate.';
  }
  if (identity.class === 'unknown' && identity.anchor !== null) {
    return `If you know what TPMs that authority stands for, say so: cpushare attest trust import FILE --allow-unknown ${identity.anchor.fingerprint}=CLASS.`;
  }
  return 'Name the authority that vouches for this TPM, or accept the class where its weakness does not matter.';
}
