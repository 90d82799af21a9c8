/** One line for a person about what an event says. Text is a stranger's: `printable` before it reaches a terminal. */
import { toHex } from '../../shared/bytes.ts';
import { certificateSubject } from './certificate-subject.ts';
import type { DecodedEvent } from './decode.ts';
import type { EfiVariable } from './efi-data.ts';
import { type FirmwareBlob, type HandoffTables, tableName } from './firmware-data.ts';
import type { SignatureList } from './signature-list.ts';
import { variableContent } from './variable-content.ts';
import type { WindowsRecord } from './windows-records.ts';

const MAX_HEX_BYTES = 16;
/** dbx has hundreds of entries: a person wants their number. */
const MAX_LISTED = 4;
/** Windows' loader writes a record for every driver. */
const MAX_RECORDS = 12;

export function describeEvent({ event, detail }: DecodedEvent): string {
  switch (detail.kind) {
    case 'variable':
      return `${detail.variable.name} (${detail.variable.guid}): ${describeVariable(detail.variable, event.type)}`;
    case 'text':
      return detail.text;
    case 'separator':
      return `separator: ${detail.meaning}`;
    case 'image':
      return detail.devicePath === '' ? `image of ${detail.sizeBytes} bytes` : `image ${detail.devicePath}`;
    case 'gpt':
      return `partition table of disk ${detail.gpt.diskGuid}: ${detail.gpt.partitions.map(({ name, guid }) => (name === '' ? guid : name)).join(', ')}`;
    case 'grub-command':
      return `GRUB command: ${detail.text}`;
    case 'kernel-command-line':
      return `kernel command line: ${detail.text}`;
    case 'file':
      return `file ${detail.name}`;
    case 'mok':
      return `shim's list ${detail.variable}`;
    case 'load-options':
    case 'initrd':
      return detail.label;
    case 'tag':
      return `${detail.name ?? `tag 0x${detail.tag.toString(16).padStart(8, '0')}`}${detail.label === null ? `, ${event.data.length} bytes` : `: ${detail.label}`}`;
    case 'windows':
      return describeRecords(detail.records);
    case 'crtm-version':
      return `version ${detail.version === '' ? '(empty)' : detail.version}`;
    case 'firmware-blob':
      return describeBlob(detail.blob);
    case 'handoff-tables':
      return describeTables(detail.handoff);
    case 'device-security':
      return `${detail.device.signature}, ${detail.device.deviceType} device`;
    case 'information':
      return [
        detail.information.name,
        ...Object.entries(detail.information.fields).map(([name, value]) => `${name}=${value}`),
      ].join(' ');
    case 'opaque':
      return describeBytes(event.data);
  }
}

export function describeBytes(data: Uint8Array): string {
  return data.length <= MAX_HEX_BYTES && data.length > 0 ? `0x${toHex(data)}` : `${data.length} bytes`;
}

function describeVariable(variable: EfiVariable, eventType: number): string {
  const content = variableContent(variable, eventType);
  switch (content.kind) {
    case 'boolean':
      return content.value ? 'on' : 'off';
    case 'signature-lists':
      return content.lists.length === 0 ? 'empty' : content.lists.map(describeList).join('; ');
    case 'authority':
      return `certificate ${certificateSubject(content.certificate) ?? `of ${content.certificate.length} bytes`}`;
    case 'boot-order':
      return content.options.map((option) => option.toString(16).toUpperCase().padStart(4, '0')).join(', ');
    case 'load-option': {
      const { description, devicePath, active } = content.option;
      return `"${description}" ${devicePath}${active ? '' : ' (inactive)'}`;
    }
    case 'sbat':
      return content.text.trimEnd().split('\n').join('; ');
    case 'text':
      return content.text;
    case 'bytes':
      return describeBytes(variable.value);
  }
}

function describeList({ type, typeGuid, entries }: SignatureList): string {
  const kind = type === 'unknown' ? typeGuid : type;
  if (type !== 'x509' || entries.length > MAX_LISTED) {
    const only = entries.length === 1 ? ` ${toHex(entries[0]?.data.subarray(0, 32) ?? new Uint8Array())}` : '';
    return `${entries.length} ${kind}${only}`;
  }
  return entries.map(({ data }) => `certificate ${certificateSubject(data) ?? `of ${data.length} bytes`}`).join('; ');
}

function describeBlob({ description, address, lengthBytes }: FirmwareBlob): string {
  const name = description === null || description === '' ? 'firmware blob' : `firmware blob "${description}"`;
  return `${name} at 0x${address.toString(16)}, ${lengthBytes} bytes`;
}

function describeTables({ description, tables }: HandoffTables): string {
  const names = tables.map(({ guid }) => tableName(guid)).join(', ');
  return description === null || description === '' ? `tables ${names}` : `tables "${description}": ${names}`;
}

/** Only what is near the top: a person who needs the rest takes the JSON. */
function describeRecords(records: readonly WindowsRecord[]): string {
  const shown = records.slice(0, MAX_RECORDS).map(describeRecord);
  return records.length > MAX_RECORDS ? `${shown.join('; ')}; ${records.length - MAX_RECORDS} more` : shown.join('; ');
}

function describeRecord({ name, value, records }: WindowsRecord): string {
  return value === null ? `${name} { ${describeRecords(records)} }` : `${name}=${value}`;
}
