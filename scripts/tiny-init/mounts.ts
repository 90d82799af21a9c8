/** Steps that both programs of init share. */
import type { Failure, Step } from './program.ts';

/** linux/mount.h */
export const MS = { readOnly: 1, noSuid: 2, noDevices: 4, noPrograms: 8, move: 8192 } as const;

export interface Mount {
  readonly type: string;
  readonly on: string;
  readonly flags: number;
  readonly options?: string;
  readonly source?: string;
}

export function mount(what: Mount, code: string): Step {
  return mountOr(what, { code, detail: what.on });
}

export function mountOr({ type, on, flags, options, source }: Mount, orFail: Failure | undefined): Step {
  return {
    call: 'mount',
    with: [source ?? type, on, type, flags, options ?? 0],
    ...(orFail === undefined ? {} : { orFail }),
  };
}
