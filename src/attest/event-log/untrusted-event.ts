/** One event as the log says it: its digests count once replayed to a quoted register, its data by the rule for its type. */
export interface UntrustedEvent {
  /** Position in the log, from 0; the Spec ID header is event 0. */
  readonly number: number;
  /** Or the measurement register, in a log with `registers: 'mr'`. */
  readonly pcr: number;
  readonly type: number;
  readonly digests: ReadonlyMap<string, Uint8Array>;
  readonly data: Uint8Array;
}
