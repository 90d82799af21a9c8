/** What an event's data says, by its type (PFP 1.06 §10.4.1). Hearsay until `bindingOf` ties it to the digest. */
import { type EfiImage, type EfiVariable, OLD_SHIM_SURPLUS, readEfiImage, readEfiVariable } from './efi-data.ts';
import { EventType } from './event-types.ts';
import {
  crtmVersion,
  type DeviceSecurity,
  type FirmwareBlob,
  type HandoffTables,
  readDeviceSecurity,
  readFirmwareBlob,
  readFirmwareBlob2,
  readHandoffTables,
  readHandoffTables2,
} from './firmware-data.ts';
import { type Gpt, readGpt } from './gpt.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import { iplDetail, type LoaderDetail, tagDetail } from './loader-data.ts';
import { type Information, readInformation, readNonHostInformation } from './no-action.ts';
import { printableAscii, printableUtf16, utf8 } from './text.ts';
import type { UntrustedEvent } from './untrusted-event.ts';

export type EventDetail =
  /** What the value means: `variableContent`. */
  | { readonly kind: 'variable'; readonly variable: EfiVariable }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'separator'; readonly meaning: 'ok' | 'error' | 'other' }
  | ({ readonly kind: 'image' } & EfiImage)
  | { readonly kind: 'gpt'; readonly gpt: Gpt }
  | { readonly kind: 'crtm-version'; readonly version: string; readonly isGuid: boolean }
  | { readonly kind: 'firmware-blob'; readonly blob: FirmwareBlob }
  | { readonly kind: 'handoff-tables'; readonly handoff: HandoffTables }
  | { readonly kind: 'device-security'; readonly device: DeviceSecurity }
  /** Of a NO_ACTION event: extends nothing, so nothing can ever prove it. Of a NONHOST_INFO event: the maker's. */
  | { readonly kind: 'information'; readonly information: Information }
  | LoaderDetail;

const OPAQUE: EventDetail = { kind: 'opaque' };

/** Never throws: data that does not fit its type is `opaque`. */
export function detailOf(event: UntrustedEvent): EventDetail {
  try {
    return readDetail(event);
  } catch (error) {
    if (error instanceof LogError) return OPAQUE;
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
    case EventType.EFI_SPDM_DEVICE_POLICY:
    case EventType.EFI_SPDM_DEVICE_AUTHORITY:
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
    case EventType.EFI_GPT_EVENT:
    case EventType.EFI_GPT_EVENT2:
      return { kind: 'gpt', gpt: readGpt(data) };
    case EventType.IPL:
    case EventType.IPL_PARTITION_DATA:
      return iplDetail(pcr, data);
    case EventType.EVENT_TAG:
      return tagDetail(data);
    case EventType.NO_ACTION: {
      const information = readInformation(data);
      return information === null ? OPAQUE : { kind: 'information', information };
    }
    case EventType.NONHOST_INFO: {
      const information = readNonHostInformation(data);
      return information === null ? textDetail(data) : { kind: 'information', information };
    }
    case EventType.S_CRTM_VERSION:
      return versionDetail(data);
    case EventType.EFI_PLATFORM_FIRMWARE_BLOB:
      return { kind: 'firmware-blob', blob: readFirmwareBlob(data) };
    case EventType.EFI_PLATFORM_FIRMWARE_BLOB2:
      return { kind: 'firmware-blob', blob: readFirmwareBlob2(data) };
    case EventType.EFI_HANDOFF_TABLES:
    case EventType.TABLE_OF_DEVICES:
      return { kind: 'handoff-tables', handoff: readHandoffTables(data) };
    case EventType.EFI_HANDOFF_TABLES2:
      return { kind: 'handoff-tables', handoff: readHandoffTables2(data) };
    case EventType.EFI_SPDM_FIRMWARE_BLOB:
    case EventType.EFI_SPDM_FIRMWARE_CONFIG:
      return { kind: 'device-security', device: readDeviceSecurity(data) };
    case EventType.POST_CODE:
    case EventType.POST_CODE2:
    case EventType.S_CRTM_CONTENTS:
      return textOrBlob(data, type === EventType.POST_CODE2);
    default:
      return textDetail(data);
  }
}

/** Text where the firmware names what it measured, else where it lay. */
function textOrBlob(data: Uint8Array, described: boolean): EventDetail {
  const text = textDetail(data);
  if (text.kind === 'text') return text;
  return { kind: 'firmware-blob', blob: described ? readFirmwareBlob2(data) : readFirmwareBlob(data) };
}

function textDetail(data: Uint8Array): EventDetail {
  const text = printableAscii(data) ?? printableUtf16(data);
  return text === null ? OPAQUE : { kind: 'text', text };
}

function versionDetail(data: Uint8Array): EventDetail {
  const version = crtmVersion(data);
  if (version === null) return OPAQUE;
  return 'guid' in version
    ? { kind: 'crtm-version', version: version.guid, isGuid: true }
    : { kind: 'crtm-version', version: version.text, isGuid: false };
}

function separatorMeaning(data: Uint8Array): 'ok' | 'error' | 'other' {
  if (data.length !== 4) return 'other';
  const value = littleEndianReader(data).u32('separator');
  if (value === 0 || value === 0xffffffff) return 'ok';
  return value === 1 ? 'error' : 'other';
}
