/** Holds the machine's TPM open, and opens it anew after a failure of the TPM itself. */
import type { Tpm } from 'tpm2-ts/command';
import type { MachineTpm } from '../tpm/machine-tpm.ts';

export interface TpmKeeper {
  /** The TPM with its raw transport, for measuring before anything else. */
  first(): Promise<{ readonly raw: Tpm; readonly machine: MachineTpm }>;
  get(): Promise<MachineTpm>;
  discard(): Promise<void>;
}

export function tpmKeeper(open: () => Promise<Tpm>, prepare: (tpm: Tpm) => Promise<MachineTpm>): TpmKeeper {
  let held: { readonly raw: Tpm; readonly machine: MachineTpm } | null = null;
  const first = async () => {
    if (held === null) {
      const raw = await open();
      held = { raw, machine: await prepare(raw) };
    }
    return held;
  };
  return {
    first,
    get: async () => (await first()).machine,
    discard: async () => {
      const old = held;
      held = null;
      await old?.machine.close().catch(() => undefined);
    },
  };
}
