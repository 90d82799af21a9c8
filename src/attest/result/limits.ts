/** What a verdict cannot promise, said with every verdict. */
import type { TpmClass } from '../evidence.ts';
import type { Expected } from '../expected.ts';

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

export interface Weakness {
  readonly sentence: string;
  /** Into SECURITY.md, which says more about it. */
  readonly link: string;
}

const weakness = (sentence: string, heading: string): Weakness => ({ sentence, link: `SECURITY.md#${heading}` });

const OWNER_READS = weakness('Whoever runs it reads every key and can make it say anything.', 'software-tpms');
/** What is known to have gone wrong with TPMs of each class. */
const KNOWN: { readonly [name in TpmClass]: readonly Weakness[] } = {
  hardware: [
    weakness(
      'Somebody at the open machine can sit on the bus between processor and chip, and read or change what passes.',
      'bus-interposer',
    ),
    weakness('Somebody at the open machine can reset the chip alone and replay a good boot into it.', 'reset-attack'),
    weakness(
      'Some chips made weak keys or leaked them by timing until their firmware was updated (ROCA, TPM-Fail).',
      'chip-firmware',
    ),
  ],
  firmware: [
    weakness(
      'Keys of AMD firmware TPMs were extracted by voltage glitching with physical access (faulTPM).',
      'faultpm',
    ),
    weakness(
      'It shares the processor with other firmware: a hole there, or a leak by timing (TPM-Fail), reaches its keys.',
      'shared-firmware',
    ),
  ],
  cloud: [
    weakness('The cloud operator and his hypervisor can read and change the TPM and the machine.', 'cloud-operator'),
  ],
  software: [OWNER_READS],
  unknown: [
    weakness('Nobody known vouches for it: it may be any of the other classes, a program included.', 'unknown-tpms'),
    OWNER_READS,
  ],
};
const SHA1 = weakness(
  'Its EK certificate is signed over SHA-1, for which colliding certificates can be made.',
  'sha-1-in-old-ek-certificates',
);

/** Of the class, and of how this TPM's certificate is made. */
export function weaknessesOf(tpmClass: TpmClass, quirks: readonly string[]): readonly Weakness[] {
  return quirks.includes('sha1-signature') ? [...KNOWN[tpmClass], SHA1] : KNOWN[tpmClass];
}

export function limitsOf(tpmClass: TpmClass, expected: Pick<Expected, 'activation' | 'policy'>): readonly string[] {
  return [
    WEAKNESS[tpmClass],
    ...(expected.activation.kind === 'transcript'
      ? ['That the AK lives in this TPM is the word of the broker; a third party cannot prove it again.']
      : []),
    'A quote could have been relayed from another genuine machine that runs the same image.',
    'The firmware itself (registers 0 to 3, 5 and 6) is recorded and explained, not compared with known good values.',
    ...(expected.policy.secureBoot.allowedAuthorities === 'any'
      ? ['Secure Boot may trust any key that is in the machine (register 7): an owner can enrol keys of his own.']
      : []),
    'That the firmware measured into the quoted bank at all is for its log to say: a bank that it leaves empty can be filled by what runs later.',
    'Memory can be read by somebody with the machine open; only memory encryption would change that.',
  ];
}
