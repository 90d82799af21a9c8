/**
 * What boot loaders log: GRUB (EV_IPL in registers 8 and 9), shim (register 14), the Linux EFI stub and systemd (tagged
 * events, UTF-16 strings). Only some of it is bound by the digest beside it: see `binding.ts`.
 */
import { littleEndianReader } from './little-endian.ts';
import { printableAscii, printableUtf16, startsWithText, utf8, withoutNul } from './text.ts';
import { isWindowsRecord, readWindowsRecords, type WindowsRecord } from './windows-records.ts';

export type LoaderDetail =
  | { readonly kind: 'grub-command'; readonly text: string }
  | { readonly kind: 'kernel-command-line'; readonly text: string }
  /** A file that GRUB read; digest of the content, so the name is hearsay. */
  | { readonly kind: 'file'; readonly name: string }
  /** A list of shim's that was measured: MokList, MokListX, MokListTrusted; digest of the list, so the name is hearsay. */
  | { readonly kind: 'mok'; readonly variable: string }
  | { readonly kind: 'load-options'; readonly label: string }
  | { readonly kind: 'initrd'; readonly label: string }
  /** Any other tagged event; `label` where its data is text. `name` for tags that are known here. */
  | { readonly kind: 'tag'; readonly tag: number; readonly name: string | null; readonly label: string | null }
  | { readonly kind: 'windows'; readonly records: readonly WindowsRecord[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'opaque' };

/** GRUB's prefixes since 2.04 and, with one blank, those of older builds. Exact: what only resembles one is no command. */
const GRUB_COMMAND = ['grub_cmd: ', 'grub_cmd '] as const;
const KERNEL_COMMAND_LINE = ['kernel_cmdline: ', 'grub_kernel_cmdline '] as const;
const FILES_PCR = 9;
const MOK_PCR = 14;

export function iplDetail(pcr: number, data: Uint8Array): LoaderDetail {
  const commandAt = prefixBytes(data, GRUB_COMMAND);
  if (commandAt > 0) return { kind: 'grub-command', text: utf8(withoutNul(data.subarray(commandAt))) };
  const lineAt = prefixBytes(data, KERNEL_COMMAND_LINE);
  if (lineAt > 0) return { kind: 'kernel-command-line', text: utf8(withoutNul(data.subarray(lineAt))) };
  if (pcr === MOK_PCR) return { kind: 'mok', variable: utf8(withoutNul(data)) };
  const wide = printableUtf16(data); // systemd-boot and its stub
  if (wide !== null) return { kind: 'text', text: wide };
  if (pcr === FILES_PCR) return { kind: 'file', name: utf8(withoutNul(data)) };
  const text = printableAscii(data);
  return text === null ? { kind: 'opaque' } : { kind: 'text', text };
}

/** Where the body of a GRUB event begins, which alone its digest covers; 0 for any other data. */
export function grubBodyOffset(data: Uint8Array): number {
  return prefixBytes(data, GRUB_COMMAND) || prefixBytes(data, KERNEL_COMMAND_LINE);
}

function prefixBytes(data: Uint8Array, prefixes: readonly string[]): number {
  for (const prefix of prefixes) if (startsWithText(data, prefix)) return prefix.length;
  return 0;
}

/** Linux, drivers/firmware/efi/libstub/efistub.h. */
const TAG_INITRD = 0x8f3b22ec;
const TAG_LOAD_OPTIONS = 0x8f3b22ed;
/** systemd, src/fundamental/tpm2-pcr.h. */
const SYSTEMD_TAGS: { readonly [tag: number]: string } = {
  4122761258: 'systemd-boot loader.conf',
  1816590161: 'systemd-stub devicetree addon',
  1239416335: 'systemd-stub initrd addon',
  3670052378: 'systemd-stub microcode addon',
  330225371: 'systemd-stub profile',
  3586882748: 'systemd-stub SMBIOS type 1',
  3772021704: 'systemd-stub SMBIOS type 2',
  3233004835: 'systemd-stub SMBIOS type 11',
};

/** TCG_PCClientTaggedEvent, PFP 1.06 §10.4.2.1. @throws LogError */
export function tagDetail(data: Uint8Array): LoaderDetail {
  const reader = littleEndianReader(data);
  const tag = reader.u32('tag');
  if (isWindowsRecord(tag)) return { kind: 'windows', records: readWindowsRecords(littleEndianReader(data)) };
  const body = reader.bytes(reader.u32('tag size'), 'tag data');
  if (tag === TAG_LOAD_OPTIONS) return { kind: 'load-options', label: utf8(withoutNul(body)) };
  if (tag === TAG_INITRD) return { kind: 'initrd', label: utf8(withoutNul(body)) };
  const label = printableUtf16(body) ?? printableAscii(body);
  return { kind: 'tag', tag, name: SYSTEMD_TAGS[tag] ?? null, label };
}
