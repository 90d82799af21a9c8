/**
 * What to do about each refusal, for whoever reads it. Closed: a code without a remedy does not compile. A stage that knows
 * more says it in its own failure; docs/errors.md has the same sentences, and a test holds them equal.
 */
import type { RefusalCode } from './refusal-codes.ts';

export const REMEDIES: { readonly [code in RefusalCode]: string } = {
  // keys, ak-attributes, activation
  EK_PUBLIC_MALFORMED: "Fetch the report again; if it stays, the machine's software is not ours.",
  AK_PUBLIC_MALFORMED: "Fetch the report again; if it stays, the machine's software is not ours.",
  AK_ATTRIBUTES_UNSAFE: 'Do not deal with this machine; our image never makes such a key.',
  ACTIVATION_MALFORMED: 'Fetch the report again; if it stays, enrol the machine again.',
  ACTIVATION_BROKER_MISMATCH: 'Check --broker; take the report from the broker that the machine enrolled with.',
  ACTIVATION_SIGNATURE_INVALID: 'Fetch the report again from the broker itself.',
  ACTIVATION_ANSWER_INVALID: "Run the check again; if it stays, somebody on the way answers in the machine's place.",
  ACTIVATION_AK_MISMATCH: 'Restart the machine, so that it enrols again.',
  ACTIVATION_EK_MISMATCH:
    "Restart the machine, so that it enrols again; if it stays, two machines' evidence was mixed.",
  // the quote
  SIGNATURE_TRUNCATED: 'Ask the machine for a new quote.',
  SIGNATURE_TRAILING_BYTES: 'Ask the machine for a new quote.',
  SIGNATURE_MALFORMED: 'Ask the machine for a new quote.',
  SIGNATURE_SCHEME_MISMATCH: 'Do not trust this evidence; ask for a new quote.',
  QUOTE_SIGNATURE_INVALID:
    'Ask for a new quote; if it happens again, the evidence is forged or was damaged on the way.',
  QUOTE_MAGIC_WRONG: 'Do not deal with this machine.',
  QUOTE_TYPE_WRONG: 'Do not deal with this machine.',
  QUOTE_TRUNCATED: 'Ask the machine for a new quote.',
  QUOTE_TRAILING_BYTES: 'Ask the machine for a new quote.',
  QUOTE_MALFORMED: 'Ask the machine for a new quote.',
  QUOTE_SIGNER_MISMATCH: 'Do not trust this evidence; ask for a new quote.',
  CHALLENGE_MISMATCH: 'Check --nonce; else ask the machine for a new quote.',
  SESSION_KEY_MALFORMED: 'Use image and verifier of the same release.',
  BINDING_MISMATCH:
    'Check --broker and --nonce; a swapped session key or swapped claims mean that somebody sits in between.',
  QUOTE_SELECTION_WRONG: 'Ask for a new quote with image and broker of the same release.',
  PCR_VALUES_MALFORMED: 'Ask the machine for a new quote.',
  QUOTE_PCR_DIGEST_MISMATCH: 'Ask for a new quote; if it happens again, the values are forged.',
  QUOTE_CLOCK_BACKWARDS:
    "If you know that its TPM was cleared, accept that once with the policy's clock.backwards; else do not trust it.",
  TPM_FIRMWARE_ROLLED_BACK:
    "Update the TPM's firmware again; if its maker took the update back, accept it with the policy's clock.firmwareRollback.",
  QUOTE_CLOCK_UNSAFE: 'Shut the machine down orderly and start it again, not with the power switch.',
  // claims
  CLAIMS_MALFORMED: 'Use image and verifier of the same release.',
  CLAIMS_CHALLENGE_MISMATCH: 'Ask the machine for a new quote.',
  // ek-certificate, tpm-class
  EK_CERTIFICATE_MALFORMED: "Update the TPM's firmware; report the maker and model to us.",
  EK_ATTRIBUTES_UNSAFE: 'Do not deal with this machine; no TPM has such an EK.',
  EK_KEY_MISMATCH: 'Restart the machine from an unchanged medium; if it stays, do not trust it.',
  EK_CERTIFICATE_PURPOSE: 'Do not trust this machine.',
  EK_CERTIFICATE_EXPIRED: "Check your clock or --at; else the TPM's maker must renew it.",
  EK_CHAIN_INVALID:
    "Do not trust this machine; if its maker's own authority is that old, name that authority itself with attest trust import.",
  EK_CERTIFICATE_REVOKED: 'Take another machine.',
  REVOCATION_LIST_INVALID: 'Fetch it again from the authority, or leave it out.',
  REVOCATION_LIST_STALE: 'Fetch the current one, or leave it out.',
  EK_CERTIFICATE_MISSING:
    'Give it with --ek-certificate: cpushare attest trust ek-url REPORT prints where makers of firmware TPMs hand it out. Or accept it knowingly with --accept-class unknown.',
  EK_AUTHORITY_UNKNOWN:
    "Name the TPM maker's authority with --trust FILE.pem, or accept --accept-class unknown knowingly.",
  TPM_CLASS_NOT_ACCEPTED:
    'Accept the class with --accept-class where its weakness does not matter; else choose another machine.',
  // boot log
  BOOT_NOT_MEASURED: 'Start the machine in UEFI mode with Secure Boot on.',
  EVENT_LOG_MISSING: 'Start in UEFI mode; update the firmware if it writes no log.',
  EVENT_LOG_TRUNCATED: 'Restart the machine; update its firmware if it stays.',
  EVENT_LOG_TRAILING_BYTES: 'Restart the machine; update its firmware if it stays.',
  EVENT_LOG_MALFORMED: "Look into it with cpushare attest log FILE; update the machine's firmware.",
  EVENT_LOG_BANK_MISSING: "Switch the TPM's SHA-256 bank on in the firmware setup.",
  PCR_UNEXPLAINED: 'Restart the machine; if it stays, something ran that hides itself: do not trust it.',
  EVENT_LOG_REPLAY_MISMATCH: 'Restart the machine; if it stays, do not trust it, or report its firmware to us.',
  BANK_CAPPED: 'Switch the TPM to that bank in the firmware setup, and start our image from a cold start.',
  EVENT_LOG_BANKS_DISAGREE:
    'Restart the machine; if it stays, its log is made up or its firmware is broken: do not trust it.',
  EVENT_LOG_RULE_BROKEN: "Update the machine's firmware; if it stays, do not trust it.",
  FIRMWARE_WORKAROUND_REFUSED: "Update the machine's firmware, or name the oddity in the policy's firmwareWorkarounds.",
  FIRMWARE_REPORTED_ERROR: 'Restart the machine; update or reset its firmware if it stays.',
  // secure-boot, image
  SECURE_BOOT_OFF: 'Turn Secure Boot on in the firmware setup.',
  SECURE_BOOT_SETUP_MODE: 'Restore the factory keys in the firmware setup, then turn Secure Boot on.',
  SECURE_BOOT_UNPROVEN: 'Restore the factory keys and turn Secure Boot on; update the firmware if it stays.',
  SECURE_BOOT_AUTHORITY_UNKNOWN:
    'Restart the machine; if it stays, its firmware or its log is broken: do not trust it.',
  SECURE_BOOT_AUTHORITY_REFUSED: "Name the key in the policy's secureBoot.allowedAuthorities, if you know whose it is.",
  DBX_TOO_OLD: 'Update it: fwupdmgr update on Linux, Windows Update, or the firmware of the maker.',
  KERNEL_COMMAND_LINE_DIFFERS: 'Start from an unchanged medium; write the image again.',
  GRUB_COMMAND_DIFFERS: 'Start from an unchanged medium, and type nothing at the start.',
  SHIM_DIFFERS: 'Start only this medium; write the image again.',
  GRUB_DIFFERS: 'Write the image again, or judge with the reference values of the release that runs.',
  KERNEL_DIFFERS: 'Write the image again, or judge with the reference values of the release that runs.',
  IMAGE_FOR_DEBUGGING:
    'Start the machine from the release image; only to test a machine of your own, accept it with --allow-debug or with debugImages in the policy.',
  INITRD_DIFFERS: 'Write the image again, or judge with the reference values of the release that runs.',
  MOK_LIST_DIFFERS: 'Remove them with mokutil --reset on an installed system, or in the firmware setup.',
  GRUB_CONFIG_DIFFERS: 'Write the image again, or judge with the reference values of the release that runs.',
  REFERENCE_MISMATCH: 'Start from an unchanged medium, or judge with the reference values of the release that runs.',
  // ima-log, kernel-modules, configuration
  IMA_LOG_MALFORMED: 'Restart the machine from an unchanged medium.',
  IMA_NOT_MEASURED: 'Start from an unchanged medium: our image always measures.',
  IMA_LOG_MISSING: 'Restart the machine; if it stays, do not trust it.',
  IMA_LOG_REPLAY_MISMATCH: 'Restart the machine; if it stays, do not trust it.',
  BOOT_AGGREGATE_MISMATCH: 'Restart the machine; if it stays, do not trust it.',
  KERNEL_MODULE_UNKNOWN: 'Restart from an unchanged medium; whoever can load modules controls the machine.',
  CONFIGURATION_MISMATCH: 'Restart the machine with one configuration stick plugged in.',
};
