/** Commands that read or change the TPM's own state, Part 3: start, capabilities, registers, NV, clock, random numbers. */

import { name, timeInfo } from './attest.ts';
import { type Authorization, EMPTY_PASSWORD, type SessionUse } from './authorization.ts';
import { type CapabilityData, capabilityData } from './capability.ts';
import { encode, list, sizedBytes, u16, u32, type Value, yesNo } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { CAPABILITY, type CapabilityName, CC } from './constants.ts';
import { digestList, digestValues, type TaggedDigest } from './digest-list.ts';
import { TpmCodecError } from './errors.ts';
import { type TpmsNvPublic, tpm2bNvPublic } from './nv.ts';
import { type PcrSelection, pcrSelections } from './pcr-selection.ts';
import { struct } from './struct.ts';

const nothing = struct({});
const startType = { clear: 0, state: 1 } as const;

/** TPM2_Startup, §9.3. Firmware has done it long before an operating system runs; only a bare software TPM needs it. */
export async function startup(tpm: Tpm, type: keyof typeof startType = 'clear'): Promise<void> {
  const parameters = encode(u16, startType[type]);
  await run(tpm, { name: 'TPM2_Startup', code: CC.startup, parameters, response: nothing });
}

/** TPM2_Shutdown, §9.4. */
export async function shutdown(tpm: Tpm, type: keyof typeof startType = 'clear'): Promise<void> {
  const parameters = encode(u16, startType[type]);
  await run(tpm, { name: 'TPM2_Shutdown', code: CC.shutdown, parameters, response: nothing });
}

const capabilityAnswer = struct({ moreData: yesNo, data: capabilityData });

/**
 * TPM2_GetCapability, §30.2: one page, starting at `property`.
 * @throws TpmCodecError when the TPM answers with another capability than asked for
 */
export async function getCapability<Name extends CapabilityName>(
  tpm: Tpm,
  args: { readonly capability: Name; readonly property?: number; readonly count?: number },
): Promise<{ readonly moreData: boolean; readonly data: Extract<CapabilityData, { readonly capability: Name }> }> {
  const { result } = await run(tpm, {
    name: 'TPM2_GetCapability',
    code: CC.getCapability,
    parameters: encode(list3, [CAPABILITY[args.capability], args.property ?? 0, args.count ?? 64]),
    response: capabilityAnswer,
  });
  if (result.data.capability !== args.capability) {
    const reason = `${result.data.capability} instead of ${args.capability}`;
    throw new TpmCodecError('BAD_VALUE', 'TPM2_GetCapability response.data.capability', 0, reason);
  }
  return result as never;
}
const list3 = list({ read: () => 3, write: () => {} }, u32, 3);

/** TPM2_PCR_Read, §22.4. A TPM returns at most eight values at a time: `selection` says which ones these are. */
export async function pcrRead(
  tpm: Tpm,
  selection: readonly PcrSelection[],
): Promise<{
  readonly updateCounter: number;
  readonly selection: readonly PcrSelection[];
  readonly values: readonly Uint8Array[];
}> {
  const { result } = await run(tpm, {
    name: 'TPM2_PCR_Read',
    code: CC.pcrRead,
    parameters: encode(pcrSelections, selection),
    response: struct({ updateCounter: u32, selection: pcrSelections, values: digestList }),
  });
  return result;
}

/** TPM2_PCR_Extend, §22.2: one digest of exactly the bank's size for each bank named. */
export async function pcrExtend(
  tpm: Tpm,
  args: { readonly pcr: number; readonly digests: readonly TaggedDigest[] },
): Promise<void> {
  await run(tpm, {
    name: 'TPM2_PCR_Extend',
    code: CC.pcrExtend,
    handles: [args.pcr],
    authorizations: [EMPTY_PASSWORD],
    parameters: encode(digestValues, args.digests, 'TPM2_PCR_Extend digests'),
    response: nothing,
  });
}

/** TPM2_NV_ReadPublic, §31.6. */
export async function nvReadPublic(
  tpm: Tpm,
  index: number,
): Promise<{ readonly nvPublic: TpmsNvPublic; readonly nvName: Uint8Array }> {
  const { result } = await run(tpm, {
    name: 'TPM2_NV_ReadPublic',
    code: CC.nvReadPublic,
    handles: [index],
    response: struct({ nvPublic: tpm2bNvPublic, nvName: name }),
  });
  return result;
}

/** TPM2_NV_Read, §31.13: one piece, at most the TPM's TPM_PT_NV_BUFFER_MAX bytes. */
export async function nvRead(
  tpm: Tpm,
  args: {
    readonly index: number;
    readonly size: number;
    readonly offset: number;
    /** Whose authorization is used: the index itself or a hierarchy. */
    readonly authHandle?: number;
    readonly authorization?: Authorization;
    /** Name of the index (of TPM2_NV_ReadPublic), wanted where a session protects the command. */
    readonly nvName?: Uint8Array;
  },
): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_NV_Read',
    code: CC.nvRead,
    handles: [args.authHandle ?? args.index, args.index],
    names: [args.authHandle === undefined || args.authHandle === args.index ? args.nvName : undefined, args.nvName],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    parameters: encode(struct({ size: u16, offset: u16 }), args),
    response: sizedBytes(4096),
  });
  return result;
}

/** TPM2_GetRandom, §16.1. A TPM may return fewer bytes than asked for. */
export async function getRandom(
  tpm: Tpm,
  bytesRequested: number,
  protection: { readonly sessions?: readonly SessionUse[] } = {},
): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_GetRandom',
    code: CC.getRandom,
    sessions: protection.sessions,
    parameters: encode(u16, bytesRequested),
    response: sizedBytes(64),
  });
  return result;
}

/** TPM2_ReadClock, §29.1. */
export async function readClock(tpm: Tpm): Promise<Value<typeof timeInfo>> {
  const { result } = await run(tpm, { name: 'TPM2_ReadClock', code: CC.readClock, response: timeInfo });
  return result;
}
