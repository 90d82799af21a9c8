/**
 * Known deviations of real firmware and boot loaders from the profile that a reader can see through without guessing.
 * Closed table: each one is applied only when the caller allows it by name, and every one that was used is in the result.
 */
export const WORKAROUNDS = {
  'spec-id-vendor-info-outside':
    "The header's vendor information lies behind the event that should hold it, as some tools write it.",
  'startup-locality-padded': 'The StartupLocality event has zeros behind its 17 bytes, as coreboot builds write it.',
  'boot-variable-value-only':
    'The digest of a boot variable covers its value only, as the profile before 1.05 asked; its name is unproven.',
  'authority-last-byte-cut':
    'The digest of a Secure Boot authority leaves out the last byte of its structure, as shim before 15.3 wrote it.',
} as const;

export type Workaround = keyof typeof WORKAROUNDS;

/** For looking at what a machine gave, never for judging it. */
export const ALL_WORKAROUNDS = Object.keys(WORKAROUNDS) as readonly Workaround[];
