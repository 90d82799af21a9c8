/** What a broker may answer: of the agreed form, or a refusal with its own code. Pure. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ErrorAnswer } from '../../protocol/messages.ts';
import { CodedError } from '../../shared/errors.ts';
import type { Reply } from '../../shared/pinned-exchange-node.ts';

/** `BROKER_REFUSED` carries the broker's own code and HTTP status. */
export class BrokerAnswerError extends CodedError<'BROKER_ANSWER_INVALID' | 'BROKER_REFUSED'> {
  readonly status: number;
  readonly brokerCode: string | undefined;

  constructor(
    code: BrokerAnswerError['code'],
    message: string,
    options: { cause?: unknown; nextStep?: string; status?: number; brokerCode?: string } = {},
  ) {
    super(code, message, options);
    this.status = options.status ?? 0;
    this.brokerCode = options.brokerCode;
  }
}

/** @throws BrokerAnswerError BROKER_ANSWER_INVALID */
export function checked<Schema extends TSchema>(schema: Schema, reply: Reply): Static<Schema> {
  const value = parsed(reply);
  if (Value.Check(schema, value)) return value as Static<Schema>;
  const first = Value.Errors(schema, value)[0];
  throw new BrokerAnswerError(
    'BROKER_ANSWER_INVALID',
    `the broker's answer is not of the agreed form: ${first?.instancePath || 'the whole'} ${first?.message ?? ''}`,
    { status: reply.status, nextStep: 'use an image and a broker of the same release' },
  );
}

export function refusal(reply: Reply): BrokerAnswerError {
  const value = parsed(reply);
  if (!Value.Check(ErrorAnswer, value)) {
    return new BrokerAnswerError(
      'BROKER_ANSWER_INVALID',
      `the broker answered with status ${reply.status} and no code`,
      {
        status: reply.status,
      },
    );
  }
  return new BrokerAnswerError('BROKER_REFUSED', `${value.message} (${value.code})`, {
    status: reply.status,
    brokerCode: value.code,
    ...(value.nextStep === undefined ? {} : { nextStep: value.nextStep }),
  });
}

function parsed(reply: Reply): unknown {
  try {
    return JSON.parse(reply.text);
  } catch (cause) {
    throw new BrokerAnswerError('BROKER_ANSWER_INVALID', `the broker's answer (status ${reply.status}) is not JSON`, {
      status: reply.status,
      cause,
    });
  }
}
