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
  type Held = { readonly raw: Tpm; readonly machine: MachineTpm };
  /** A promise, so that two who ask at once wait for the one opening. */
  let held: Promise<Held> | null = null;
  const openOnce = async (): Promise<Held> => {
    const raw = await open();
    return { raw, machine: await prepare(raw) };
  };
  const first = () => {
    if (held === null) {
      const opening = openOnce();
      held = opening;
      opening.catch(() => {
        if (held === opening) held = null;
      });
    }
    return held;
  };
  return {
    first,
    get: async () => (await first()).machine,
    discard: async () => {
      const old = held;
      held = null;
      const opened = await old?.catch(() => null);
      await opened?.machine.close().catch(() => undefined);
    },
  };
}
