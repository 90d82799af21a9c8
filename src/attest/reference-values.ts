/**
 * Reference Values (RFC 9334) of one image: what the build printed about itself, computed from its files alone. The
 * verifier compares a machine's registers 4, 8, 9 and 14 with these exactly.
 */
export interface ReferenceValues {
  readonly format: 'cpushare-reference-values';
  readonly version: 1;
  readonly image: { readonly name: string; readonly version: string };
  readonly iso: { readonly sha256: string; readonly sizeBytes: number };
  readonly lock: { readonly sha256: string };
  /** Plain sha256 of each file in hex; `authenticodeSha256` for the PE files (what the firmware measures). */
  readonly components: {
    readonly shim: { readonly sha256: string; readonly authenticodeSha256: string };
    readonly grub: { readonly sha256: string; readonly authenticodeSha256: string };
    readonly kernel: { readonly sha256: string; readonly authenticodeSha256: string };
    readonly grubConfig: { readonly sha256: string };
    readonly initrd: { readonly sha256: string; readonly sizeBytes: number };
  };
  /** Each GRUB command as measured into PCR 8 (no prefix, words joined by one space), in order. */
  readonly grubCommands: readonly string[];
  /** As measured into PCR 8: path and parameters, no `kernel_cmdline: ` prefix. */
  readonly kernelCommandLine: string;
  /** The Linux EFI stub's LoadOptions as text (`BOOT_IMAGE=…`), measured into PCR 9 as UTF-16LE without a terminator. */
  readonly loadOptions: string;
  /** Every event expected in PCR 4, 8, 9 and 14, in log order per register. */
  readonly events: readonly ReferenceEvent[];
  /** Expected sha256-bank values in hex by boot medium; equal on both today, stated for both. */
  readonly pcrs: { readonly cd: ReferencePcrs; readonly usb: ReferencePcrs };
  /** Uncompressed kernel modules of the image as IMA measures them. */
  readonly kernelModules: readonly { readonly path: string; readonly sha256: string }[];
}

export interface ReferencePcrs {
  readonly '4': string;
  readonly '8': string;
  readonly '9': string;
  readonly '14': string;
}

export interface ReferenceEvent {
  readonly pcr: 4 | 8 | 9 | 14;
  /** A word a person understands: `shim`, `GRUB`, `kernel`, `kernel command line`, `GRUB command`, `initrd`, `grub.cfg`, `MOK list` … */
  readonly component: string;
  /** sha256-bank digest in hex. */
  readonly digest: string;
  /** The measured text where the event measures text (GRUB commands, command line). */
  readonly text?: string;
}
