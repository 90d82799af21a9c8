/** What a TPM tells about itself to anybody: its maker, what it can do, its registers. Nothing here is proven. */

import type { Tpm } from './command.ts';
import { getCapability, pcrRead } from './commands-state.ts';
import { ALG, type CapabilityName, ECC_CURVES, HASH_SIZES, type HashName, PROPERTY } from './constants.ts';
import { TpmCodecError } from './errors.ts';

export interface TpmProperties {
  /** Four characters of the TCG vendor registry, such as `INTC`, `AMD`, `IFX`, `IBM`. */
  readonly manufacturer: string;
  readonly vendorString: string;
  /** Both halves of the vendor's firmware version as 16-bit groups: `7.2.3.1`. */
  readonly firmwareVersion: string;
  /** Such as `2.0`. */
  readonly family: string;
  /** Specification revision times 100: 159 is 1.59. */
  readonly revision: number;
}

export async function tpmProperties(tpm: Tpm): Promise<TpmProperties> {
  const { data } = await getCapability(tpm, {
    capability: 'tpmProperties',
    property: PROPERTY.familyIndicator,
    count: PROPERTY.firmwareVersion2 - PROPERTY.familyIndicator + 1,
  });
  const values = new Map(data.properties.map(({ property, value }) => [property, value]));
  const value = (property: number) => values.get(property) ?? 0;
  const text = (first: number, last = first) => {
    let joined = '';
    for (let property = first; property <= last; property += 1) joined += fourCharacters(value(property));
    return joined.trim();
  };
  return {
    manufacturer: text(PROPERTY.manufacturer),
    vendorString: text(PROPERTY.vendorString1, PROPERTY.vendorString4),
    firmwareVersion: [value(PROPERTY.firmwareVersion1), value(PROPERTY.firmwareVersion2)]
      .flatMap((half) => [half >>> 16, half & 0xffff])
      .join('.'),
    family: text(PROPERTY.familyIndicator),
    revision: value(PROPERTY.revision),
  };
}

/** Whether the ECC keys of this package can be made: ECDSA and curve P-256. */
export async function supportsEcc(tpm: Tpm): Promise<boolean> {
  const algorithms = await getCapability(tpm, { capability: 'algorithms', property: ALG.ecdsa, count: 1 });
  if (algorithms.data.algorithms[0]?.algorithm !== ALG.ecdsa) return false;
  const curves = await getCapability(tpm, { capability: 'eccCurves', property: ECC_CURVES.p256, count: 1 });
  return curves.data.curves[0] === ECC_CURVES.p256;
}

/** The banks that hold registers: a TPM lists the switched-off ones too, with an empty selection. */
export async function activeBanks(tpm: Tpm): Promise<readonly HashName[]> {
  const { data } = await getCapability(tpm, { capability: 'pcrs' });
  return data.pcrs.filter(({ pcrs }) => pcrs.length > 0).map(({ hash }) => hash);
}

/** All NV indexes, or another range of handles, from `first` on. */
export async function handlesFrom(tpm: Tpm, first: number): Promise<readonly number[]> {
  const handles: number[] = [];
  for (let property = first; ; ) {
    const page = await getCapability(tpm, { capability: 'handles' satisfies CapabilityName, property });
    handles.push(...page.data.handles);
    const last = page.data.handles.at(-1);
    if (!page.moreData || last === undefined) return handles;
    property = last + 1;
  }
}

/**
 * Register values of one bank by index. The TPM gives at most eight a time, so this asks until it has all.
 * Values read here are not a snapshot: only a quote is.
 * @throws TpmCodecError when the TPM does not hold them all (bank off) or answers with other registers
 */
export async function readPcrs(
  tpm: Tpm,
  bank: HashName,
  indexes: readonly number[],
): Promise<ReadonlyMap<number, Uint8Array>> {
  const values = new Map<number, Uint8Array>();
  for (let missing = [...indexes]; missing.length > 0; ) {
    const answer = await pcrRead(tpm, [{ hash: bank, pcrs: missing }]);
    const got = answer.selection.flatMap(({ hash, pcrs }) => (hash === bank ? pcrs : []));
    const wellFormed =
      got.length > 0 &&
      got.length === answer.values.length &&
      got.every((pcr) => missing.includes(pcr)) &&
      answer.values.every((value) => value.length === HASH_SIZES[bank]);
    if (!wellFormed) {
      const reason = `${answer.values.length} values for PCR ${got.join(',')} where ${missing.join(',')} of ${bank} were asked for`;
      throw new TpmCodecError('BAD_VALUE', 'TPM2_PCR_Read response', 0, reason);
    }
    answer.values.forEach((value, i) => {
      values.set(got[i] ?? -1, value);
    });
    missing = missing.filter((pcr) => !values.has(pcr));
  }
  return values;
}

function fourCharacters(value: number): string {
  return [24, 16, 8, 0]
    .map((shift) => (value >>> shift) & 0xff)
    .filter((byte) => byte !== 0)
    .map((byte) => String.fromCharCode(byte))
    .join('');
}
