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

/**
 * The error as a person reads it: message, code, the causes below it, and the next step. Never a stack trace. Messages
 * quote what others wrote, so nothing in them may steer the terminal or pass for a line of ours.
 */
export function describeError(error: unknown): string {
  const lines = [headline(error)];
  for (let cause = causeOf(error), depth = 0; cause !== undefined && depth < 5; cause = causeOf(cause), depth += 1) {
    lines.push(`  because: ${headline(cause)}`);
  }
  if (error instanceof CodedError && error.nextStep !== undefined) lines.push(`Next step: ${inert(error.nextStep)}`);
  return lines.join('\n');
}

function headline(error: unknown): string {
  if (error instanceof CodedError) return `${inert(error.message)} [${error.code}]`;
  return inert(error instanceof Error ? error.message : String(error));
}

/** Control and format characters by their number; further lines set in. */
function inert(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
    if (character === '\n') return '\n    ';
    return character === '\t' ? ' ' : `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
