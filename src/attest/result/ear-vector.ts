/**
 * A verdict in AR4SI's numbers (draft-ietf-rats-ar4si §2.3.4), one rule per claim, each with its reason in words. A claim
 * gets an affirming value only when the checks it stands on passed. A TPM's evidence says nothing about encryption of
 * memory, sealed storage or data from elsewhere: `runtime-opaque`, `storage-opaque` and `sourced-data` stay absent.
 */

import type { TpmClass } from '../evidence.ts';
import type { Check, Verdict } from '../verdict.ts';
import type { TrustVector } from './ear-tiers.ts';

export interface Appraised {
  readonly value: number;
  readonly reason: string;
}
export type AppraisedClaim = 'instance-identity' | 'configuration' | 'executables' | 'file-system' | 'hardware';
export type AppraisedVector = { readonly [claim in AppraisedClaim]: Appraised };

/** Values that every claim can have. */
const INSUFFICIENT: Appraised = { value: 0, reason: 'Not judged, because an earlier check failed.' };
const UNREADABLE: Appraised = { value: 1, reason: 'The evidence for this cannot be read.' };
const FORGED: Appraised = { value: 99, reason: 'The evidence for this is not proven by its signatures or digests.' };

/** What must hold before any event or claim means anything. */
const AUTHENTICITY = [
  'keys',
  'ak-attributes',
  'activation',
  'quote-signature',
  'quote-format',
  'quote-signer',
  'quote-binding',
  'quote-selection',
  'quote-values',
  'quote-clock',
  'claims',
] as const;
const BOOT_LOG = ['boot-measured', 'event-log-format', 'event-log-replay', 'event-log-rules'] as const;

type Checked = Pick<Verdict, 'checks' | 'tpm'>;

export function appraisedVector(verdict: Checked): AppraisedVector {
  return {
    'instance-identity': instanceIdentity(verdict),
    configuration: configuration(verdict),
    executables: executables(verdict),
    'file-system': fileSystem(verdict),
    hardware: hardware(verdict),
  };
}

export function vectorOf(appraised: AppraisedVector): TrustVector {
  return Object.fromEntries(Object.entries(appraised).map(([claim, { value }]) => [claim, value]));
}

/** 2 recognized · 96 recognized as compromised · 97 not recognized. */
function instanceIdentity(verdict: Checked): Appraised {
  const certificate = failed(verdict, 'ek-certificate');
  if (certificate?.code?.includes('REVOKED')) return { value: 96, reason: certificate.sentence };
  const unproven = gate(verdict, [...AUTHENTICITY, 'ek-certificate']);
  if (unproven !== null) return unproven;
  if (verdict.tpm.class === 'unknown')
    return { value: 97, reason: 'No authority that is trusted vouches for this EK.' };
  return { value: 2, reason: 'The AK was activated in the TPM whose EK a trusted authority vouches for.' };
}

/** 2 genuine · 32 genuine with known weaknesses · 96 recognized and not trustworthy · 97 not recognized. */
function hardware(verdict: Checked): Appraised {
  const unproven = gate(verdict, [...AUTHENTICITY, 'ek-certificate']);
  return unproven ?? HARDWARE[verdict.tpm.class];
}

const HARDWARE: { readonly [name in TpmClass]: Appraised } = {
  hardware: { value: 2, reason: 'A TPM chip of a maker whose authority is trusted.' },
  firmware: { value: 32, reason: 'A firmware TPM: keys of some have been extracted with physical access.' },
  cloud: { value: 32, reason: 'A TPM kept by a cloud operator, who can read and change the machine.' },
  software: { value: 96, reason: 'A TPM in software: whoever runs it can make it say anything.' },
  unknown: { value: 97, reason: 'Nobody known vouches for this TPM.' },
};

/** 3 approved set at boot · 33 unrecognized. 2 would say that every later start of a program is measured as well: only kernel modules are. */
function executables(verdict: Checked): Appraised {
  const unproven = gate(verdict, [...AUTHENTICITY, ...BOOT_LOG]);
  if (unproven !== null) return unproven;
  if (failed(verdict, 'image') !== undefined) {
    return { value: 33, reason: 'The boot chain is not that of an image in the reference values.' };
  }
  const modules = failed(verdict, 'kernel-modules');
  if (modules !== undefined) return { value: 33, reason: 'The kernel loaded a module that is not of the image.' };
  const runtime = gate(verdict, ['image', 'ima-log', 'kernel-modules']);
  return runtime ?? { value: 3, reason: 'Boot chain and kernel modules are those of the image, and no others.' };
}

/** 2 approved files only · 32 unrecognized files. The root file system lies in the measured initrd and in memory. */
function fileSystem(verdict: Checked): Appraised {
  const unproven = gate(verdict, [...AUTHENTICITY, ...BOOT_LOG]);
  if (unproven !== null) return unproven;
  if (failed(verdict, 'image') !== undefined)
    return { value: 32, reason: 'The initrd may hold files of another image.' };
  return gate(verdict, ['image']) ?? { value: 2, reason: 'The whole root file system lies in the measured initrd.' };
}

/** Differences of the image that are configuration, not code. */
const CONFIGURATION_CODES = ['KERNEL_COMMAND_LINE_DIFFERS', 'GRUB_COMMAND_DIFFERS', 'GRUB_CONFIG_DIFFERS'];

/**
 * 3 exposes no known vulnerability · 32 exposes some · 36 not available to the verifier · 96 unacceptable. 2 would say that
 * all configuration is known: the firmware's own settings are recorded in the log, not compared.
 */
function configuration(verdict: Checked): Appraised {
  const unproven = gate(verdict, [...AUTHENTICITY, ...BOOT_LOG]);
  if (unproven !== null) return unproven;
  const secureBoot = failed(verdict, 'secure-boot');
  if (secureBoot?.code === 'SECURE_BOOT_OFF') return { value: 96, reason: 'Secure Boot was off.' };
  if (secureBoot?.family === 'policy') return { value: 32, reason: secureBoot.sentence };
  if (secureBoot !== undefined) return { value: 36, reason: 'The state of Secure Boot is not proven.' };
  const image = failed(verdict, 'image');
  if (image !== undefined && CONFIGURATION_CODES.includes(image.code ?? '')) {
    return { value: 96, reason: 'The boot loader or the kernel was configured otherwise than in the image.' };
  }
  if (image !== undefined) return { value: 36, reason: 'What another image configures is not known.' };
  if (failed(verdict, 'configuration') !== undefined) {
    return { value: 36, reason: "The seller's configuration is not the one that was measured." };
  }
  const rest = gate(verdict, ['secure-boot', 'image', 'configuration']);
  return rest ?? { value: 3, reason: 'Secure Boot was on; boot loader, kernel and image are configured as released.' };
}

/** Null when all of `names` passed; else what the first that did not means for a claim that stands on it. */
function gate({ checks }: Checked, names: readonly string[]): Appraised | null {
  const first = checks.find((check) => names.includes(check.name) && check.status !== 'passed');
  if (first === undefined) {
    return names.every((name) => checks.some((check) => check.name === name)) ? null : INSUFFICIENT;
  }
  if (first.status === 'not-reached' || first.family === 'policy') return INSUFFICIENT;
  return first.family === 'malformed' ? UNREADABLE : FORGED;
}

function failed({ checks }: Checked, name: string): Check | undefined {
  return checks.find((check) => check.name === name && check.status === 'failed');
}
