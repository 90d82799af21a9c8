/** Reference Values (RFC 9334) of one image: the type, and the strict reader for `reference-values.json`. */
import { CodedError } from '../../shared/errors.ts';
import { array, hex, integer, object, oneOf, readJson, text } from '../strict-json.ts';

export class ReferenceValuesError extends CodedError<'REFERENCE_VALUES_MALFORMED'> {}

/**
 * Reference Values (RFC 9334) of one image: what the build printed about itself, computed from its files alone. The
 * verifier compares a machine's registers 4, 8, 9 and 14 with these exactly.
 */
export interface ReferenceValues {
  readonly format: 'cpushare-reference-values';
  readonly version: 1;
  /** `debug`: an image for developers, with a shell; refused unless the policy says otherwise. */
  readonly image: { readonly name: string; readonly version: string; readonly debug?: true };
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

const digest = hex(32);
const peFile = object({ sha256: digest, authenticodeSha256: digest });
const registers = object({ '4': digest, '8': digest, '9': digest, '14': digest });

const shape = object({
  format: oneOf(['cpushare-reference-values']),
  version: oneOf([1]),
  image: object(
    { name: text(100, /^[a-z0-9][a-z0-9.-]*$/), version: text(100, /^[0-9A-Za-z.+~-]+$/) },
    { debug: oneOf([true]) },
  ),
  iso: object({ sha256: digest, sizeBytes: integer(0) }),
  lock: object({ sha256: digest }),
  components: object({
    shim: peFile,
    grub: peFile,
    kernel: peFile,
    grubConfig: object({ sha256: digest }),
    initrd: object({ sha256: digest, sizeBytes: integer(0) }),
  }),
  grubCommands: array(text(4096), { max: 200 }),
  kernelCommandLine: text(4096),
  loadOptions: text(4096),
  events: array(object({ pcr: oneOf([4, 8, 9, 14]), component: text(100, /./), digest }, { text: text(4096) }), {
    min: 1,
    max: 1000,
  }),
  pcrs: object({ cd: registers, usb: registers }),
  kernelModules: array(object({ path: text(1000), sha256: digest }), { max: 10_000 }),
});

/** Reads `reference-values.json` as written by the image build. @throws ReferenceValuesError */
export function parseReferenceValues(json: Uint8Array | string): ReferenceValues {
  try {
    return readJson(json, shape, 'reference values');
  } catch (cause) {
    throw new ReferenceValuesError('REFERENCE_VALUES_MALFORMED', 'these are not reference values of an image', {
      cause,
      nextStep: 'use the dist/reference-values.json that the image build wrote',
    });
  }
}
