/**
 * Names of the known oddities of firmware, as a policy and a verdict spell them. What each one is, and why it may be
 * overlooked or not: firmware-workarounds.ts.
 */
export const WORKAROUND_NAMES = [
  // the format of the log
  'spec-id-vendor-info-outside',
  'startup-locality-padded',
  'log-padding',
  'no-action-with-digest',
  'bank-missing-in-events',
  // what a digest covers
  'authority-last-byte-cut',
  // what is measured, and how often
  'separator-repeated',
  'separator-windows-wbcl',
  'separator-one-byte',
  'separator-skiboot',
  'boot-option-call-not-measured',
  'earlier-boot-entry-failed',
  'exit-boot-services-not-measured',
  'exit-boot-services-repeated',
  'exit-boot-services-not-logged',
  'exit-boot-services-only-logged',
  // what the firmware says of itself in register 7
  'dma-protection-disabled',
  'uefi-debug-mode',
] as const;

export type WorkaroundName = (typeof WORKAROUND_NAMES)[number];

/** One that an appraisal had to use. */
export interface UsedWorkaround {
  readonly name: WorkaroundName;
  /** The first event it was used for, by its number in the log; for what the log lacks, the last event before it. */
  readonly event: number;
  readonly sentence: string;
}
