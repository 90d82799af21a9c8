/**
 * What the value of a measured UEFI variable means, by its name (UEFI 2.10 §3.3, §32.4.1; shim's MokVars). Read on
 * demand: most judges need one variable of a log. As trustworthy as the event that the variable is from.
 */
import type { EfiVariable } from './efi-data.ts';
import { EventType } from './event-types.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import { type LoadOption, readLoadOption } from './load-option.ts';
import { readSignatureEntry, readSignatureLists, type SignatureEntry, type SignatureList } from './signature-list.ts';
import { printableAscii, printableUtf16 } from './text.ts';

export type VariableContent =
  | { readonly kind: 'signature-lists'; readonly lists: readonly SignatureList[] }
  /** The certificate that verified an image: an entry of db or of shim's lists, or shim's own vendor certificate. */
  | { readonly kind: 'authority'; readonly owner: string | null; readonly certificate: Uint8Array }
  /** Numbers of Boot#### variables, first tried first. */
  | { readonly kind: 'boot-order'; readonly options: readonly number[] }
  | { readonly kind: 'load-option'; readonly option: LoadOption }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Generations below which shim refuses boot loaders (SbatLevel), one `component,generation[,date]` a line. */
  | { readonly kind: 'sbat'; readonly text: string; readonly entries: readonly SbatEntry[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes' };

export interface SbatEntry {
  readonly component: string;
  readonly generation: number;
  readonly rest: string;
}

const SIGNATURE_LISTS =
  /^(PK|KEK|db|dbx|dbt|dbr|PKDefault|KEKDefault|dbDefault|dbxDefault|MokList|MokListX|MokListRT|MokListXRT)$/;
const BOOLEANS =
  /^(SecureBoot|SetupMode|AuditMode|DeployedMode|VendorKeys|MokListTrusted|MokSBState|MokDBState|MokIgnoreDB)$/;
const ORDERS = /^(Boot|Driver|SysPrep|PlatformRecovery)Order$|^BootNext$|^BootCurrent$/;
const LOAD_OPTIONS = /^(Boot|Driver|SysPrep|PlatformRecovery)[0-9A-Fa-f]{4}$/;
/** Shim names the certificate it carries itself. */
const VENDOR_CERTIFICATES = /^(Shim|vendor_db|MokListRT|MokListX?|db)$/;
const DER_SEQUENCE = 0x30;

/** `eventType`: an authority event holds one entry where a configuration event holds the lists. Never throws. */
export function variableContent(variable: EfiVariable, eventType: number): VariableContent {
  try {
    return readContent(variable, eventType);
  } catch (error) {
    if (error instanceof LogError) return { kind: 'bytes' };
    throw error;
  }
}

function readContent({ name, value }: EfiVariable, eventType: number): VariableContent {
  if (name === 'SbatLevel') return sbat(value);
  if (BOOLEANS.test(name)) {
    return value.length > 1 ? { kind: 'bytes' } : { kind: 'boolean', value: value[0] !== undefined && value[0] !== 0 };
  }
  if (eventType === EventType.EFI_VARIABLE_AUTHORITY) return authority(name, value);
  if (SIGNATURE_LISTS.test(name)) return { kind: 'signature-lists', lists: readSignatureLists(value) };
  if (ORDERS.test(name)) return { kind: 'boot-order', options: bootOrder(value) };
  if (LOAD_OPTIONS.test(name)) return { kind: 'load-option', option: readLoadOption(value) };
  const text = printableAscii(value) ?? printableUtf16(value);
  return text === null ? { kind: 'bytes' } : { kind: 'text', text };
}

/** Either EFI_SIGNATURE_DATA or, for shim's built-in certificate, the DER alone. */
function authority(name: string, value: Uint8Array): VariableContent {
  if (!VENDOR_CERTIFICATES.test(name)) return { kind: 'bytes' };
  if (value[0] === DER_SEQUENCE && (value[1] ?? 0) >= 0x80 && !beginsWithOwner(value)) {
    return { kind: 'authority', owner: null, certificate: value };
  }
  const entry: SignatureEntry = readSignatureEntry(value);
  return { kind: 'authority', owner: entry.owner, certificate: entry.data };
}

/** A GUID may begin with 30 8x as well; then a DER certificate follows it. */
function beginsWithOwner(value: Uint8Array): boolean {
  return (
    value[16] === DER_SEQUENCE &&
    value[17] === 0x82 &&
    value.length - 20 === (((value[18] ?? 0) << 8) | (value[19] ?? 0))
  );
}

function bootOrder(value: Uint8Array): readonly number[] {
  const reader = littleEndianReader(value);
  const options: number[] = [];
  while (reader.left > 0) options.push(reader.u16('boot option number'));
  return options;
}

function sbat(value: Uint8Array): VariableContent {
  const text = printableAscii(value);
  if (text === null) return { kind: 'bytes' };
  const entries: SbatEntry[] = [];
  for (const line of text.split('\n')) {
    const [, component, generation, rest] = /^([^,]+),([0-9]{1,9})(?:,(.*))?$/.exec(line) ?? [];
    if (component !== undefined) entries.push({ component, generation: Number(generation), rest: rest ?? '' });
  }
  return { kind: 'sbat', text, entries };
}
