/** Part 3 §28: what the TPM holds in its memory. */
import { encode, u32 } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { CC } from './constants.ts';
import { struct } from './struct.ts';

/** TPM2_FlushContext, §28.4: forgets a transient key or a session. */
export async function flushContext(tpm: Tpm, handle: number): Promise<void> {
  const parameters = encode(u32, handle);
  await run(tpm, { name: 'TPM2_FlushContext', code: CC.flushContext, parameters, response: struct({}) });
}
