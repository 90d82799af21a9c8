/** Reference values read for judging: checked once, digests as bytes, modules as a set. Judging many costs no more hex. */
import { equalBytes, fromHex, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { type ActionDigests, actionDigests } from '../boot/firmware-actions.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { type ExpectedModules, expectedModules } from './expected-modules.ts';
import type { ReferenceEvent, ReferenceValues } from './reference-values.ts';

export class ReferenceConsistencyError extends CodedError<'REFERENCE_VALUES_INCONSISTENT'> {}

export const OWN_PCRS = [4, 8, 9, 14] as const;

/** Made by `prepareReference` alone. */
export interface PreparedReference {
  readonly values: ReferenceValues;
  /** What each own register must hold, in order. */
  readonly registers: ReadonlyMap<number, readonly PreparedEvent[]>;
  /** SHA-256 of each kernel module, hex. */
  readonly modules: ReadonlySet<string>;
  /** The same modules as IMA writes them. */
  readonly imaEntries: ExpectedModules;
  /** sha256 digests of the firmware's own texts, for the oddities that a policy overlooks. */
  readonly actions: ActionDigests;
}

export interface PreparedEvent {
  readonly event: ReferenceEvent;
  readonly digest: Uint8Array;
}

type Crypto = Pick<AttestCrypto, 'hash'>;

/** @throws ReferenceConsistencyError */
export function prepareReference(values: ReferenceValues, crypto: Crypto): PreparedReference {
  const registers = new Map<number, PreparedEvent[]>(OWN_PCRS.map((pcr) => [pcr, []]));
  for (const event of values.events) registers.get(event.pcr)?.push({ event, digest: fromHex(event.digest) });
  requireRegisters(values, registers, crypto);
  return {
    values,
    registers,
    modules: new Set(values.kernelModules.map(({ sha256 }) => sha256)),
    imaEntries: expectedModules(values, crypto),
    actions: actionDigests('sha256', crypto),
  };
}

/** The build computed events and registers; if they do not agree, the file was edited. @throws ReferenceConsistencyError */
export function requireConsistent(values: ReferenceValues, crypto: Crypto): void {
  prepareReference(values, crypto);
}

function requireRegisters(
  { image, pcrs }: ReferenceValues,
  registers: ReadonlyMap<number, readonly PreparedEvent[]>,
  crypto: Crypto,
): void {
  for (const pcr of OWN_PCRS) {
    let value = initialPcr(pcr, 'sha256');
    for (const { digest } of registers.get(pcr) ?? []) value = extend(value, digest, 'sha256', crypto);
    for (const medium of ['cd', 'usb'] as const) {
      if (equalBytes(fromHex(pcrs[medium][pcr]), value)) continue;
      throw new ReferenceConsistencyError(
        'REFERENCE_VALUES_INCONSISTENT',
        `the reference values of ${image.name} ${image.version} give register ${pcr} as ${pcrs[medium][pcr]} for ${medium}, their events lead to ${toHex(value)}`,
        { nextStep: 'use the dist/reference-values.json that the image build wrote, unedited' },
      );
    }
  }
}
