/**
 * Coded errors: every failure that a person can meet has a stable code, a sentence with the values that matter, and the
 * next step. Subclasses close the set of codes (`class LockError extends CodedError<'LOCK_STALE' | …>`).
 */
export class CodedError<Code extends string = string> extends Error {
  /** Stable, UPPER_SNAKE_CASE; documented in docs/errors.md. */
  readonly code: Code;
  /** What the reader can do about it, as an instruction. */
  readonly nextStep: string | undefined;

  constructor(code: Code, message: string, options: { cause?: unknown; nextStep?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.nextStep = options.nextStep;
  }
}

/** The error as a person reads it: message, code, the causes below it, and the next step. Never a stack trace. */
export function describeError(error: unknown): string {
  const lines = [headline(error)];
  for (let cause = causeOf(error), depth = 0; cause !== undefined && depth < 5; cause = causeOf(cause), depth += 1) {
    lines.push(`  because: ${headline(cause)}`);
  }
  if (error instanceof CodedError && error.nextStep !== undefined) lines.push(`Next step: ${error.nextStep}`);
  return lines.join('\n');
}

function headline(error: unknown): string {
  if (error instanceof CodedError) return `${error.message} [${error.code}]`;
  if (error instanceof Error) return error.message;
  return String(error);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
