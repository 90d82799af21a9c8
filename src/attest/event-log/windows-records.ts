/**
 * What Windows' boot manager and loader put into tagged events of registers 11 to 14 ("WBCL"): records of type, length,
 * value; some contain records. Types from Microsoft's wbcl.h; a value is shown as number, text or hex.
 */
import { toHex } from '../../shared/bytes.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';
import { printableUtf16 } from './text.ts';

export interface WindowsRecord {
  readonly type: number;
  readonly name: string;
  /** Null for a record that contains records. */
  readonly value: string | null;
  readonly records: readonly WindowsRecord[];
}

export const WINDOWS_TRUST_POINT = 0xc0010004;
/** Bit of all types whose value is records. */
const CONTAINER = 0x40000000;
const MAX_DEPTH = 4;
const MAX_SHOWN_BYTES = 64;

const NAMES: { readonly [type: number]: string } = {
  1073807361: 'TrustBoundary',
  1073807362: 'ElamAggregation',
  1073807363: 'LoadedModuleAggregation',
  3221291012: 'TrustPointAggregation',
  1073807365: 'KsrAggregation',
  1073807366: 'KsrSignedMeasurementAggregation',
  131073: 'Information',
  131074: 'BootCounter',
  131075: 'TransferControl',
  131076: 'ApplicationReturn',
  131077: 'BitLockerUnlock',
  131078: 'EventCounter',
  131079: 'CounterId',
  131080: 'MorBitNotCancelable',
  131081: 'ApplicationSvn',
  131082: 'SvnChainStatus',
  131083: 'MorBitApiStatus',
  262145: 'BootDebugging',
  262146: 'BootRevocationList',
  327681: 'OsKernelDebug',
  327682: 'CodeIntegrity',
  327683: 'TestSigning',
  327684: 'DataExecutionPrevention',
  327685: 'SafeMode',
  327686: 'WinPE',
  327687: 'PhysicalAddressExtension',
  327688: 'OsDevice',
  327689: 'SystemRoot',
  327690: 'HypervisorLaunchType',
  327691: 'HypervisorPath',
  327692: 'HypervisorIommuPolicy',
  327693: 'HypervisorDebug',
  327694: 'DriverLoadPolicy',
  327695: 'SiPolicy',
  327698: 'VsmLaunchType',
  327699: 'OsRevocationList',
  393218: 'AuthorityPublicKey',
  458753: 'FilePath',
  458754: 'ImageSize',
  458755: 'HashAlgorithmId',
  458756: 'AuthenticodeHash',
  458757: 'AuthorityIssuer',
  458758: 'AuthoritySerial',
  458759: 'ImageBase',
  458760: 'AuthorityPublisher',
  458761: 'AuthoritySha1Thumbprint',
  458762: 'ImageValidated',
};

export function windowsRecordName(type: number): string {
  return NAMES[type] ?? `0x${type.toString(16).padStart(8, '0')}`;
}

export function isWindowsRecord(type: number): boolean {
  return Object.hasOwn(NAMES, type);
}

/** @throws LogError when records do not fill their container to the byte */
export function readWindowsRecords(reader: LittleEndianReader, depth = 0): readonly WindowsRecord[] {
  if (depth > MAX_DEPTH) throw new LogError('LOG_EVENT_BAD', `records more than ${MAX_DEPTH} deep`);
  const records: WindowsRecord[] = [];
  while (reader.left > 0) {
    const type = reader.u32('record type');
    const value = reader.bytes(reader.u32('record length'), 'record value');
    const contains = isWindowsRecord(type) && (type & CONTAINER) !== 0;
    records.push(
      new TypedRecord(type, value, contains ? readWindowsRecords(littleEndianReader(value), depth + 1) : null),
    );
  }
  return records;
}

/** Puts its value into words when asked for: a boot has hundreds of them. */
class TypedRecord implements WindowsRecord {
  readonly type: number;
  readonly records: readonly WindowsRecord[];
  readonly #bytes: Uint8Array | null;

  constructor(type: number, bytes: Uint8Array, records: readonly WindowsRecord[] | null) {
    this.type = type;
    this.records = records ?? [];
    this.#bytes = records === null ? bytes : null;
  }

  get name(): string {
    return windowsRecordName(this.type);
  }

  get value(): string | null {
    return this.#bytes === null ? null : valueText(this.#bytes);
  }
}

function valueText(value: Uint8Array): string {
  const text = printableUtf16(value);
  if (text !== null) return text;
  if (value.length === 1 || value.length === 2 || value.length === 4 || value.length === 8) {
    let number = 0n;
    for (let index = value.length - 1; index >= 0; index -= 1) number = (number << 8n) | BigInt(value[index] ?? 0);
    return String(number);
  }
  const shown = toHex(value.subarray(0, MAX_SHOWN_BYTES));
  return value.length > MAX_SHOWN_BYTES ? `${shown}… (${value.length} bytes)` : shown;
}
