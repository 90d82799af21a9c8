/**
 * The table of known oddities of firmware, boot loaders and logs: what real machines do, what exactly is overlooked, and
 * whether something could hide behind it. A policy names those it overlooks; a verdict names those it had to.
 */
import { WORKAROUND_NAMES, type WorkaroundName } from './firmware-workaround-names.ts';

export interface FirmwareWorkaround {
  /** What real machines do. */
  readonly seen: string;
  /** What exactly is overlooked, and nothing beyond it. */
  readonly overlooks: string;
  /** What could hide behind it; null: nothing. */
  readonly mayHide: string | null;
  /** Why nothing can, or what is at stake. */
  readonly because: string;
}

export const FIRMWARE_WORKAROUNDS: { readonly [name in WorkaroundName]: FirmwareWorkaround } = {
  'spec-id-vendor-info-outside': {
    seen: "Some tools write the header's vendor information behind the header event instead of into it.",
    overlooks: 'Exactly the announced number of bytes behind the first event.',
    mayHide: null,
    because: 'The header extends no register.',
  },
  'startup-locality-padded': {
    seen: 'coreboot builds write zeros behind the 17 bytes of the StartupLocality event.',
    overlooks: 'Zeros behind a well-formed StartupLocality.',
    mayHide: null,
    because: 'The locality itself is proven by the replay of register 0.',
  },
  'log-padding': {
    seen: 'Some firmware hands out its whole log area, filled up with 00 or ff behind the last event.',
    overlooks: 'At least one event header of bytes, all 00 or all ff, to the end of the log.',
    mayHide: null,
    because: 'Bytes that are all the same say nothing, and nothing of them was measured.',
  },
  'no-action-with-digest': {
    seen: 'Some logs carry a digest in an event that extends nothing; Windows writes one for its attestation key.',
    overlooks: 'A digest in an EV_NO_ACTION event.',
    mayHide: null,
    because: 'The event is not replayed: had the digest been extended, its register would not fit.',
  },
  'bank-missing-in-events': {
    seen: 'Some firmware names banks in the header that are switched off, and leaves them out of its events.',
    overlooks: 'Events without a digest of a bank that was not quoted.',
    mayHide: null,
    because: 'Every quoted bank must have a digest in every event.',
  },
  'authority-last-byte-cut': {
    seen: 'shim before 15.3 wrote padding behind the certificate of an authority and hashed all but the last byte of it.',
    overlooks: 'One byte, the last of six bytes of padding behind a whole certificate.',
    mayHide: null,
    because: 'The certificate itself is covered by the digest, to its last byte.',
  },
  'separator-repeated': {
    seen: 'Some firmware measures the separator of a register twice.',
    overlooks: 'Further separators with the data of the first one.',
    mayHide: null,
    because: 'The first separator ends the firmware part; what follows it is judged as behind it.',
  },
  'separator-windows-wbcl': {
    seen: "Windows separates registers 12 to 14 with the text 'WBCL'; some logs have it elsewhere.",
    overlooks: "A separator whose proven data is 'WBCL'.",
    mayHide: null,
    because: 'The data is one constant, bound by the digest, and not the one that reports an error.',
  },
  'separator-one-byte': {
    seen: 'Some firmware measures one byte ff in place of four.',
    overlooks: 'A separator whose proven data is the one byte ff.',
    mayHide: null,
    because: 'The data is one constant, bound by the digest, and not the one that reports an error.',
  },
  'separator-skiboot': {
    seen: "OpenPOWER firmware separates its registers with the text 'skiboot'.",
    overlooks: "A separator whose proven data is 'skiboot'.",
    mayHide: null,
    because: 'The data is one constant, bound by the digest, and not the one that reports an error.',
  },
  'boot-option-call-not-measured': {
    seen: 'Some firmware does not measure "Calling EFI Application from Boot Option" into register 4.',
    overlooks: 'That one constant missing at the beginning of register 4.',
    mayHide: null,
    because: 'The text says nothing about what was started; the started images are compared all the same.',
  },
  'earlier-boot-entry-failed': {
    seen: 'A boot entry before ours could not be started: firmware measures that it returned, and the next call.',
    overlooks: 'Pairs of "Returning …" and "Calling EFI Application from Boot Option" before the first image.',
    mayHide: null,
    because: 'Both are constants, and an image that had been loaded in between would be measured between them.',
  },
  'exit-boot-services-not-measured': {
    seen: 'Some firmware does not measure that the system took over (ExitBootServices), or hides it from the log.',
    overlooks: 'Register 5 without these events, explained by the log as it is.',
    mayHide: null,
    because: 'No judgement rests on them.',
  },
  'exit-boot-services-repeated': {
    seen: 'The first ExitBootServices may fail because the memory map changed; the kernel calls again.',
    overlooks: 'ExitBootServices events beyond one invocation and one success.',
    mayHide: null,
    because: 'They are constants, and no judgement rests on how often the kernel had to ask.',
  },
  'exit-boot-services-not-logged': {
    seen: 'Firmware without a table of final events measures ExitBootServices when the log was already handed over.',
    overlooks: 'Register 5 explained by the log and one invocation, with or without its success, behind it.',
    mayHide: null,
    because: 'What is added to explain the register are two constants of the profile, nothing else.',
  },
  'exit-boot-services-only-logged': {
    seen: 'Some firmware logs ExitBootServices and does not extend it.',
    overlooks: 'Register 5 explained by the log without its last ExitBootServices events.',
    mayHide: null,
    because:
      'What is left out are constants of the profile at the end of the register, and no judgement rests on them.',
  },
  'dma-protection-disabled': {
    seen: 'Firmware that can protect memory from devices says in register 7 when that is switched off.',
    overlooks: '"DMA Protection Disabled" in register 7 before the separator.',
    mayHide: 'a device that writes to memory during the start',
    because: 'A plugged-in device could change what was measured after it was measured.',
  },
  'uefi-debug-mode': {
    seen: 'Firmware with a debugger attached or allowed says "UEFI Debug Mode" in register 7.',
    overlooks: '"UEFI Debug Mode" in register 7 before the separator.',
    mayHide: 'everything',
    because: 'Who holds the debugger decides what the machine runs, whatever was measured.',
  },
};

/** Those that nothing can hide behind. */
export const HARMLESS_WORKAROUNDS: readonly WorkaroundName[] = WORKAROUND_NAMES.filter(
  (name) => FIRMWARE_WORKAROUNDS[name].mayHide === null,
);

/** Of those, what PCs need that start our image; the others were seen with other systems, or in made logs. */
export const ORDINARY_WORKAROUNDS = [
  'authority-last-byte-cut',
  'boot-option-call-not-measured',
  'earlier-boot-entry-failed',
  'exit-boot-services-not-measured',
  'exit-boot-services-repeated',
  'exit-boot-services-not-logged',
  'exit-boot-services-only-logged',
] as const satisfies readonly WorkaroundName[];
