/**
 * Fields of tpm2_eventlog's YAML with our values, to be compared with its own. Where the tool is wrong, or spells things
 * its own way, that is written down in `contentValues` and `devicePathSpellings`.
 */
import { toHex } from '../../../shared/bytes.ts';
import type { DecodedEvent } from '../decode.ts';
import type { EfiVariable } from '../efi-data.ts';
import { eventTypeName } from '../event-types.ts';
import type { Gpt, GptPartition } from '../gpt.ts';
import { littleEndianReader } from '../little-endian.ts';
import { readSignatureEntry } from '../signature-list.ts';
import { readSpecId } from '../spec-id.ts';
import { variableContent } from '../variable-content.ts';
import type { YamlField } from './tpm2-eventlog-yaml.ts';

/** Their keys in their order, with our values. A key that is not known here gets no value, which fails the test. */
export function equalFields(decoded: DecodedEvent, theirs: readonly YamlField[]): YamlField[] {
  const ours = ourValues(decoded);
  const equal = theirs.map(({ key, value }) => {
    if (STRUCTURE.has(key) && value === '') return { key, value };
    const next = ours[key]?.shift();
    if (next === undefined) return { key, value: 'nothing of ours' };
    return { key, value: isCut(next, value) || isNoise(decoded, key) ? value : spelledTheirWay(next, value) };
  });
  const unmatched = new Set(equal.map(({ key }) => key).filter((key) => !STRUCTURE.has(key) && ours[key]?.length));
  return [...equal, ...Array.from(unmatched, (key) => ({ key, value: 'more of ours' }))];
}

/** Keys that only open a group. */
const STRUCTURE = new Set(['Digests', 'Event', 'SpecID', 'Algorithms', 'VariableData', 'Keys', 'Header', 'Partitions']);

/** Of data in hex, the tool prints so many digits and no more. */
const MAX_HEX_DIGITS = 2048;
const isCut = (our: Ours, theirs: string): boolean =>
  theirs.length === MAX_HEX_DIGITS && typeof our !== 'string' && (our[0] ?? '').startsWith(theirs);

/** 5.4 prints whatever lies in memory where an image has no device path. */
const isNoise = ({ detail }: DecodedEvent, key: string): boolean =>
  key === 'DevicePath' && detail.kind === 'image' && detail.devicePathBytes.length === 0;

/** A value, or the spellings that different builds of the tool have for it. */
type Ours = string | readonly string[];

function spelledTheirWay(our: Ours, theirs: string): string {
  if (typeof our === 'string') return our;
  return our.find((spelling) => spelling === theirs) ?? our.join(' or ');
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const latin1 = (data: Uint8Array): string => Buffer.from(data).toString('latin1');

/** Our values by their keys. A key that occurs again in an event takes the next value. */
function ourValues(decoded: DecodedEvent): Record<string, Ours[]> {
  const { event, detail } = decoded;
  const digests = [...event.digests];
  return {
    EventNum: [String(event.number)],
    // "no register" is printed as a signed number by 5.7, as an unsigned one by 5.4
    PCRIndex: [[String(event.pcr), String(event.pcr | 0)]],
    EventType: [eventTypeName(event.type)],
    DigestCount: [String(digests.length)],
    AlgorithmId: digests.map(([bank]) => bank),
    Digest: digests.map(([, digest]) => toHex(digest)),
    EventSize: [String(event.data.length)],
    Event: [[toHex(event.data), 'text' in detail ? detail.text : '']],
    String: [latin1(event.data)],
    ...detailValues(decoded),
  };
}

function detailValues(decoded: DecodedEvent): Record<string, Ours[]> {
  const { event, detail } = decoded;
  switch (detail.kind) {
    case 'information':
      return detail.information.name === 'Spec ID Event03' ? specIdValues(event.data) : {};
    case 'image':
      return {
        ImageLocationInMemory: [hex(detail.address)],
        ImageLengthInMemory: [String(detail.sizeBytes)],
        ImageLinkTimeAddress: [hex(detail.linkAddress)],
        LengthOfDevicePath: [String(detail.devicePathBytes.length)],
        // 5.4 prints all bytes behind the head, be they of the path or not
        DevicePath: [
          [...devicePathSpellings(detail.devicePath, detail.devicePathBytes), toHex(event.data.subarray(32))],
        ],
      };
    case 'text': // 5.4 takes the text of S_CRTM_CONTENTS for an address
      return event.data.length < 16 ? {} : blobValues(event.data);
    case 'firmware-blob':
      return { BlobBase: [hex(detail.blob.address)], BlobLength: [hex(detail.blob.lengthBytes)] };
    case 'gpt':
      return gptValues(detail.gpt);
    case 'variable':
      return {
        VariableName: [detail.variable.guid],
        UnicodeNameLength: [String(detail.variable.name.length)],
        VariableDataLength: [String(detail.variable.value.length)],
        UnicodeName: [detail.variable.name],
        VariableData: [toHex(detail.variable.value)],
        ...contentValues(decoded, detail.variable),
      };
    default:
      return {};
  }
}

function blobValues(data: Uint8Array): Record<string, Ours[]> {
  const reader = littleEndianReader(data);
  return { BlobBase: [hex(reader.u64('base'))], BlobLength: [hex(reader.u64('length'))] };
}

function specIdValues(header: Uint8Array): Record<string, Ours[]> {
  const { specId } = readSpecId(header, new Uint8Array());
  const algorithms = [...specId.algorithms.values()];
  return {
    Signature: [latin1(header.subarray(0, 15))],
    platformClass: [String(specId.platformClass)],
    specVersionMinor: [String(specId.versionMinor)],
    specVersionMajor: [String(specId.versionMajor)],
    specErrata: [String(specId.errata)],
    uintnSize: [String(specId.uintnSize)],
    numberOfAlgorithms: [String(algorithms.length)],
    ...Object.fromEntries(algorithms.map((_, index) => [`Algorithm[${index}]`, ['']])),
    algorithmId: algorithms.map(({ bank }) => bank),
    digestSize: algorithms.map(({ bytes }) => String(bytes)),
    vendorInfoSize: [String(specId.vendorInfo.length)],
    vendorInfo: [toHex(specId.vendorInfo)],
  };
}

function gptValues(gpt: Gpt): Record<string, Ours[]> {
  const each = (value: (partition: GptPartition) => string): string[] => gpt.partitions.map(value);
  return {
    Signature: ['EFI PART'],
    Revision: [hex(gpt.revision)],
    HeaderSize: [String(gpt.headerBytes)],
    HeaderCRC32: [hex(gpt.headerCrc32)],
    MyLBA: [hex(gpt.ownBlock)],
    AlternateLBA: [hex(gpt.backupBlock)],
    FirstUsableLBA: [hex(gpt.firstUsableBlock)],
    LastUsableLBA: [hex(gpt.lastUsableBlock)],
    DiskGUID: [gpt.diskGuid],
    PartitionEntryLBA: [hex(gpt.entriesBlock)],
    NumberOfPartitionEntry: [String(gpt.entriesInTable)],
    SizeOfPartitionEntry: [String(gpt.entryBytes)],
    PartitionEntryArrayCRC32: [hex(gpt.entriesCrc32)],
    NumberOfPartitions: [String(gpt.partitions.length)],
    PartitionTypeGUID: each(({ typeGuid }) => typeGuid),
    UniquePartitionGUID: each(({ guid }) => guid),
    StartingLBA: each(({ firstBlock }) => hex(firstBlock)),
    EndingLBA: each(({ lastBlock }) => hex(lastBlock)),
    Attributes: each(({ attributes }) => hex(attributes)),
    PartitionName: each(({ name }) => name),
  };
}

function contentValues({ event }: DecodedEvent, variable: EfiVariable): Record<string, Ours[]> {
  const content = variableContent(variable, event.type);
  switch (content.kind) {
    case 'boolean':
      return { Enabled: [content.value ? 'Yes' : 'No'] };
    case 'boot-order':
      return { '-': content.options.map((option) => `Boot${option.toString(16).padStart(4, '0')}`) };
    case 'load-option': {
      const { active, devicePathBytes, description, devicePath } = content.option;
      return {
        Enabled: [active ? 'Yes' : 'No'],
        FilePathListLength: [String(devicePathBytes.length)],
        Description: [description],
        DevicePath: [devicePathSpellings(devicePath, devicePathBytes)],
      };
    }
    case 'sbat':
      return { String: [content.text] };
    case 'authority': {
      // the tool takes the certificate that shim carries itself for an entry with an owner
      const entry = content.owner === null ? readSignatureEntry(variable.value) : null;
      return {
        SignatureOwner: [entry?.owner ?? content.owner ?? ''],
        SignatureData: [toHex(entry?.data ?? content.certificate)],
      };
    }
    case 'signature-lists':
      return {
        SignatureType: content.lists.map(({ typeGuid }) => typeGuid),
        SignatureListSize: content.lists.map((list) =>
          String(28 + list.headerBytes + list.entries.length * list.entryBytes),
        ),
        SignatureHeaderSize: content.lists.map(({ headerBytes }) => String(headerBytes)),
        SignatureSize: content.lists.map(({ entryBytes }) => String(entryBytes)),
        SignatureOwner: content.lists.flatMap(({ entries }) => entries.map(({ owner }) => owner)),
        SignatureData: content.lists.flatMap(({ entries }) => entries.map(({ data }) => toHex(data))),
      };
    default:
      return {};
  }
}

/** Ours is the text of the UEFI specification; theirs is libefivar's, or hex where the tool was built without that. */
function devicePathSpellings(text: string, bytes: Uint8Array): readonly string[] {
  const decimal = (_: string, name: string, numbers: string): string =>
    `${name}(${numbers.split(',').map(Number).join(',')})`;
  const libefivar = text
    .replace(/(^|\/)(\\[^/,]*)/g, (_, before: string, path: string) => `${before}File(${path})`)
    .replace(/\bFv\(/g, 'FvVol(')
    .replace(/\bScsi\(/g, 'SCSI(')
    .replace(/\b(Sata|SCSI|USB)\(([^)]*)\)/g, decimal)
    .replace(/\bMAC\((\w+),0x(\w+)\)/g, 'MAC($1,$2)')
    .replace(/\bIPv4\(.*?\)/g, 'IPv4(0.0.0.00.0.0.0,0,0)'); // no comma between the addresses, and always DHCP's zeros
  return [text, libefivar, toHex(bytes)];
}
