/** Judges the proof that the AK lives in the TPM of the EK. */
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import type { Request } from '../expected.ts';
import type { Ledger } from '../ledger.ts';
import type { RefusalCode } from '../refusal-codes.ts';
import {
  ActivationError,
  type ActivationProof,
  verifyActivationAnswer,
  verifyActivationTranscript,
} from './activation.ts';
import type { AnsweredQuote } from './activation-answer.ts';
import type { JudgedKeys } from './keys.ts';

export function judgeActivation(
  evidence: Evidence,
  keys: JudgedKeys,
  expected: Request,
  crypto: AttestCrypto,
  ledger: Ledger,
): boolean {
  const fail = (code: RefusalCode, sentence: string): false => {
    const remedy =
      expected.activation.kind === 'answered'
        ? 'Run the check again; if it stays, do not trust whoever carries it, nor this machine.'
        : 'Enrol the machine again, so that the broker activates its AK.';
    ledger.fail('activation', {
      code,
      family: code === 'ACTIVATION_MALFORMED' ? 'malformed' : 'false',
      sentence,
      remedy,
    });
    return false;
  };
  const { activation } = expected;
  let names: { readonly ekName: string; readonly akName: string };
  try {
    names = activatedNames(activation, { ...evidence, challenge: expected.challenge }, expected.brokerId, crypto);
  } catch (error) {
    if (!(error instanceof ActivationError)) throw error;
    return fail(error.code, `There is no proof that the AK lives in this TPM: ${error.message}.`);
  }
  const [akName, ekName] = [keys.ak.nameHex, keys.ek.nameHex];
  if (names.akName !== akName) {
    return fail('ACTIVATION_AK_MISMATCH', `The activated AK is ${names.akName}, the one in the evidence is ${akName}.`);
  }
  if (names.ekName !== ekName) {
    const sentence = `The AK was activated for the EK ${names.ekName}, the one in the evidence is ${ekName}.`;
    return fail('ACTIVATION_EK_MISMATCH', sentence);
  }
  const witness = activation.kind === 'transcript' ? 'The broker' : 'This verifier';
  ledger.pass('activation', `${witness} activated this AK in the TPM that holds the EK.`);
  return true;
}

function activatedNames(
  activation: ActivationProof,
  answered: AnsweredQuote,
  brokerId: Uint8Array,
  crypto: AttestCrypto,
): { readonly ekName: string; readonly akName: string } {
  switch (activation.kind) {
    case 'witnessed':
      return activation;
    case 'answered':
      return verifyActivationAnswer(activation, answered, crypto);
    case 'transcript':
      return verifyActivationTranscript(activation.transcript, brokerId, crypto);
    default:
      return activation satisfies never;
  }
}
