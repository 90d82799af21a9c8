/** What a verdict cannot promise, said with every verdict. */
import type { TpmClass } from './evidence.ts';
import type { Expected } from './expected.ts';

const WEAKNESS: { readonly [name in TpmClass]: string } = {
  hardware: 'A TPM chip can be deceived by somebody who taps or resets its bus with the machine open.',
  firmware: 'A firmware TPM shares its processor: keys of some have been extracted with physical access.',
  cloud: 'A cloud TPM is the word of the cloud operator, who can read and change the machine.',
  software: 'A software TPM proves nothing about the machine: whoever runs it can make it say anything.',
  unknown: 'Nobody known vouches for this TPM: it may be a program that says what its owner wants.',
};

/** The class's weakness in one sentence. */
export function weaknessOf(tpmClass: TpmClass): string {
  return WEAKNESS[tpmClass];
}

export function limitsOf(tpmClass: TpmClass, expected: Pick<Expected, 'activation'>): readonly string[] {
  return [
    WEAKNESS[tpmClass],
    ...(expected.activation.kind === 'transcript'
      ? ['That the AK lives in this TPM is the word of the broker; a third party cannot prove it again.']
      : []),
    'A quote could have been relayed from another genuine machine that runs the same image.',
    'The firmware itself (registers 0 to 3, 5 and 6) is recorded and explained, not compared with known good values.',
    'Whose keys Secure Boot trusts (register 7) is recorded, not compared: an owner can enrol keys of his own.',
    'Memory can be read by somebody with the machine open; only memory encryption would change that.',
  ];
}
