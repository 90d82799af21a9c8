/**
 * What an event says, and whether its digest proves it. The digest of many types covers something else than the data
 * beside it (an image, a file), so a name or path there is hearsay: only `bound` fields may reach a claim.
 * Rules counted over 87 real logs; event *types* are never covered by the digest, so a judge checks position as well.
 */
import { equalBytes } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto.ts';
import { type EfiVariable, readEfiImage, readEfiVariable } from './efi-data.ts';
import { EventType } from './event-types.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import type { UntrustedEvent } from './parse.ts';

/**
 * data: digest = H(data). body: H(text behind the prefix). value: H(variable value), so the name is not bound.
 * cut-data: H(data without its last byte): old shims wrote their structure's padding behind the certificate, six
 * bytes, and hashed one byte less.
 */
export type BoundBy = 'data' | 'body' | 'value' | 'cut-data';

export type EventDetail =
  | { readonly kind: 'variable'; readonly variable: EfiVariable }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'separator'; readonly meaning: 'ok' | 'error' | 'other' }
  | { readonly kind: 'image'; readonly devicePath: string; readonly sizeBytes: bigint }
  | { readonly kind: 'grub-command'; readonly text: string }
  | { readonly kind: 'kernel-command-line'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'load-options'; readonly label: string }
  | { readonly kind: 'initrd'; readonly label: string }
  | { readonly kind: 'opaque' };

export type DecodedEvent = { readonly event: UntrustedEvent; readonly detail: EventDetail } & (
  | { readonly trust: 'bound'; readonly boundBy: BoundBy }
  | { readonly trust: 'unproven' }
);

/** Linux EFI stub tags, drivers/firmware/efi/libstub/efistub.h. */
const TAG_INITRD = 0x8f3b22ec;
const TAG_LOAD_OPTIONS = 0x8f3b22ed;

/** See `cut-data`. */
const OLD_SHIM_SURPLUS = 6;
/** GUID and two lengths. */
const VARIABLE_HEAD_BYTES = 32;

type Crypto = Pick<AttestCrypto, 'hash'>;

/** Never throws: data that does not fit its type is `opaque`. `bank` is the one whose digests are to bind. */
export function decodeEvent(event: UntrustedEvent, bank: HashName, crypto: Crypto): DecodedEvent {
  const detail = detailOf(event);
  const digest = event.digests.get(bank);
  const boundBy = digest === undefined ? null : binding(event, detail, digest, (data) => crypto.hash(bank, data));
  return boundBy === null ? { event, detail, trust: 'unproven' } : { event, detail, trust: 'bound', boundBy };
}

function detailOf(event: UntrustedEvent): EventDetail {
  try {
    return readDetail(event);
  } catch (error) {
    if (error instanceof LogError) return { kind: 'opaque' };
    throw error;
  }
}

function readDetail({ type, pcr, data }: UntrustedEvent): EventDetail {
  switch (type) {
    case EventType.EFI_VARIABLE_DRIVER_CONFIG:
    case EventType.EFI_VARIABLE_BOOT:
    case EventType.EFI_VARIABLE_BOOT2:
      return { kind: 'variable', variable: readEfiVariable(data) };
    case EventType.EFI_VARIABLE_AUTHORITY:
      return { kind: 'variable', variable: readEfiVariable(data, OLD_SHIM_SURPLUS) };
    case EventType.EFI_ACTION:
    case EventType.ACTION:
      return { kind: 'text', text: utf8(data) };
    case EventType.SEPARATOR:
      return { kind: 'separator', meaning: separatorMeaning(data) };
    case EventType.EFI_BOOT_SERVICES_APPLICATION:
    case EventType.EFI_BOOT_SERVICES_DRIVER:
    case EventType.EFI_RUNTIME_SERVICES_DRIVER:
      return { kind: 'image', ...readEfiImage(data) };
    case EventType.IPL:
      return iplDetail(pcr, data);
    case EventType.EVENT_TAG:
      return tagDetail(data);
    default:
      return { kind: 'opaque' };
  }
}

/** GRUB's prefixes since 2.04 and, with one blank, those of older builds. */
const GRUB_COMMAND = ['grub_cmd: ', 'grub_cmd '] as const;
const KERNEL_COMMAND_LINE = ['kernel_cmdline: ', 'grub_kernel_cmdline '] as const;

function iplDetail(pcr: number, data: Uint8Array): EventDetail {
  const text = utf8(withoutNul(data));
  const command = afterPrefix(text, GRUB_COMMAND);
  if (command !== null) return { kind: 'grub-command', text: command };
  const commandLine = afterPrefix(text, KERNEL_COMMAND_LINE);
  if (commandLine !== null) return { kind: 'kernel-command-line', text: commandLine };
  return pcr === 9 || pcr === 14 ? { kind: 'file', name: text } : { kind: 'opaque' };
}

function tagDetail(data: Uint8Array): EventDetail {
  const reader = littleEndianReader(data);
  const tag = reader.u32('tag');
  const label = utf8(withoutNul(reader.bytes(reader.u32('tag size'), 'tag data')));
  if (tag === TAG_LOAD_OPTIONS) return { kind: 'load-options', label };
  if (tag === TAG_INITRD) return { kind: 'initrd', label };
  return { kind: 'opaque' };
}

function separatorMeaning(data: Uint8Array): 'ok' | 'error' | 'other' {
  if (data.length !== 4) return 'other';
  const value = littleEndianReader(data).u32('separator');
  if (value === 0 || value === 0xffffffff) return 'ok';
  return value === 1 ? 'error' : 'other';
}

function binding(
  event: UntrustedEvent,
  detail: EventDetail,
  digest: Uint8Array,
  hash: (data: Uint8Array) => Uint8Array,
): BoundBy | null {
  const { data, type } = event;
  if (type === EventType.NO_ACTION) return null;
  if (detail.kind === 'grub-command' || detail.kind === 'kernel-command-line') {
    const body = data.subarray(prefixLength(data));
    return equalBytes(hash(withoutNul(body)), digest) || equalBytes(hash(body), digest) ? 'body' : null;
  }
  if (equalBytes(hash(data), digest)) return 'data';
  if (detail.kind !== 'variable') return null;
  if (type === EventType.EFI_VARIABLE_BOOT && equalBytes(hash(detail.variable.value), digest)) return 'value';
  if (type !== EventType.EFI_VARIABLE_AUTHORITY || !hasSurplus(data, detail.variable)) return null;
  return equalBytes(hash(data.subarray(0, -1)), digest) ? 'cut-data' : null;
}

/** Without the padding, the byte that is not hashed would be the certificate's last. */
function hasSurplus(data: Uint8Array, { name, value }: EfiVariable): boolean {
  return data.length === VARIABLE_HEAD_BYTES + 2 * name.length + value.length + OLD_SHIM_SURPLUS;
}

function prefixLength(data: Uint8Array): number {
  const text = utf8(data.subarray(0, 32));
  return [...GRUB_COMMAND, ...KERNEL_COMMAND_LINE].find((prefix) => text.startsWith(prefix))?.length ?? 0;
}

function afterPrefix(text: string, prefixes: readonly string[]): string | null {
  const prefix = prefixes.find((each) => text.startsWith(each));
  return prefix === undefined ? null : text.slice(prefix.length);
}

function withoutNul(data: Uint8Array): Uint8Array {
  return data.at(-1) === 0 ? data.subarray(0, -1) : data;
}

function utf8(data: Uint8Array): string {
  return new TextDecoder('utf-8').decode(data);
}
