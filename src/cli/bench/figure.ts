/** One measured figure, as `npm run bench` prints it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'bytes' | 'per_s' | 'ratio' | 'ms' | 'count';
}

export type Emit = (figure: Figure) => void;

/** Seconds since `startMs` (performance.now()), to the millisecond. */
export function secondsSince(startMs: number): number {
  return Math.round(performance.now() - startMs) / 1000;
}
