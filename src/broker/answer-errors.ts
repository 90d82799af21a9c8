/** Every failure as an `ErrorAnswer`: coded for the requester, in full for the operator's log, never both. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorAnswer } from '../protocol/messages.ts';
import { describeError } from '../shared/errors.ts';
import { RequestError } from './errors.ts';

export function answerError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
  log: (line: string) => void,
): void {
  const refusal = toRequestError(error);
  if (refusal.code === 'INTERNAL')
    log(`${request.method} ${request.routeOptions.url ?? '?'} failed: ${describeError(error)}`);
  reply.code(refusal.status).serializer(JSON.stringify).type('application/json; charset=utf-8').send(answerOf(refusal));
}

export function answerOf(error: RequestError): ErrorAnswer {
  const { code, message, nextStep } = error;
  return { code, message, ...(nextStep === undefined ? {} : { nextStep }) };
}

/** Bytes that are not HTTP at all have no request to answer to: say so on the bare socket and close it. */
export function answerBrokenHttp(_error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(answerOf(new RequestError('REQUEST_MALFORMED', 'this is not an HTTP/1.1 request')));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function toRequestError(error: FastifyError | Error): RequestError {
  if (error instanceof RequestError) return error;
  const { code, statusCode = 500 } = error as FastifyError;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RequestError('BODY_TOO_LARGE', 'the request body is too large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RequestError('MEDIA_TYPE_UNSUPPORTED', 'the request body must be application/json');
    case 'FST_ERR_VALIDATION':
      return new RequestError('REQUEST_MALFORMED', error.message.slice(0, 300));
    default:
      if (statusCode >= 400 && statusCode < 500)
        return new RequestError('REQUEST_MALFORMED', 'the request cannot be read');
      return new RequestError(
        'INTERNAL',
        'the broker failed at this request; its operator finds the reason in the log',
      );
  }
}
