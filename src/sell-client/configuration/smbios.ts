/**
 * SMBIOS OEM strings (DMTF DSP0134, structure type 11): where a hypervisor lets its owner put words into a machine. One of
 * them may carry the configuration: `cpushare:` and then the JSON itself or its base64url.
 * The table is written by whoever owns the machine: data to judge, like the volume.
 */
import { CodedError } from '../../shared/errors.ts';
import { decodeCarriedValue } from './carried-value.ts';

export class SmbiosError extends CodedError<'CONFIGURATION_SMBIOS_MALFORMED' | 'CONFIGURATION_SMBIOS_TWICE'> {}

export const OEM_PREFIX = 'cpushare:';
const OEM_STRINGS = 11;
const END_OF_TABLE = 127;
const HEADER_BYTES = 4;
/** A table of version 3 may be larger than the 64 KiB of version 2; what is behind this is not looked at. */
export const MAX_TABLE_BYTES = 1024 * 1024;

/** The configuration in a whole structure table (/sys/firmware/dmi/tables/DMI); `null`: none there. @throws SmbiosError, ValueError */
export function configurationInSmbios(table: Uint8Array): Uint8Array | null {
  const ours = oemStrings(table).filter((text) => startsWith(text, OEM_PREFIX));
  const [only] = ours;
  if (only === undefined) return null;
  if (ours.length > 1) {
    throw new SmbiosError('CONFIGURATION_SMBIOS_TWICE', `${ours.length} SMBIOS OEM strings begin with ${OEM_PREFIX}`, {
      nextStep: 'leave one of them in the settings of the virtual machine, then restart it',
    });
  }
  return decodeCarriedValue(only.subarray(OEM_PREFIX.length), `SMBIOS OEM string ${OEM_PREFIX}…`);
}

/** All strings of all structures of type 11, as bytes. @throws SmbiosError where a structure leaves the table */
export function oemStrings(table: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at + HEADER_BYTES <= table.length; ) {
    const [type = 0, length = 0] = table.subarray(at, at + 2);
    if (length < HEADER_BYTES || at + length > table.length) throw malformed(`a structure of ${length} bytes`, at);
    const { strings, end } = readStrings(table, at + length);
    if (type === OEM_STRINGS) found.push(...strings);
    if (type === END_OF_TABLE) break;
    at = end;
  }
  return found;
}

/** §6.1.3: strings end in one zero byte each, their set in one more; a structure without strings ends in two. */
function readStrings(table: Uint8Array, start: number): { strings: Uint8Array[]; end: number } {
  const strings: Uint8Array[] = [];
  let at = start;
  for (;;) {
    const end = table.indexOf(0, at);
    if (end === -1) throw malformed('strings without an end', start);
    if (end === at) break;
    strings.push(table.subarray(at, end));
    at = end + 1;
  }
  const end = strings.length === 0 ? at + 2 : at + 1;
  if (end > table.length) throw malformed('strings without an end', start);
  return { strings, end };
}

function startsWith(bytes: Uint8Array, prefix: string): boolean {
  return Buffer.from(bytes.subarray(0, prefix.length)).toString('latin1') === prefix;
}

function malformed(what: string, at: number): SmbiosError {
  return new SmbiosError('CONFIGURATION_SMBIOS_MALFORMED', `the SMBIOS table is damaged at byte ${at}: ${what}`, {
    nextStep: 'give the configuration on a volume labelled CPUSHARE instead',
  });
}
