/** EFI_LOAD_OPTION, UEFI 2.10 §3.1.3: one entry of the firmware's boot menu. */
import { devicePathText } from './device-path.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import { utf16Terminated } from './text.ts';

export interface LoadOption {
  readonly attributes: number;
  /** Tried in the order of BootOrder; else only when chosen by hand. */
  readonly active: boolean;
  readonly description: string;
  readonly devicePath: string;
  readonly devicePathBytes: Uint8Array;
  /** Handed to the image that is started; often a command line. */
  readonly optionalData: Uint8Array;
}

const ACTIVE = 0x1;

/** @throws LogError */
export function readLoadOption(value: Uint8Array): LoadOption {
  const reader = littleEndianReader(value);
  const attributes = reader.u32('load option attributes');
  const pathLength = reader.u16('load option path length');
  const description = utf16Terminated(value.subarray(reader.offset));
  if (description === null) throw new LogError('LOG_EVENT_BAD', 'a load option whose description has no end');
  reader.bytes(description.bytes, 'load option description');
  const devicePathBytes = reader.bytes(pathLength, 'load option path');
  return {
    attributes,
    active: (attributes & ACTIVE) !== 0,
    description: description.text,
    devicePath: devicePathText(devicePathBytes),
    devicePathBytes,
    optionalData: reader.bytes(reader.left, 'optional data'),
  };
}
