/**
 * What the broker says no with. Two families: `StartError` for the operator at the console, `RequestError` for the other
 * end of the wire. A request error's message never holds a secret, a path or anything the requester did not send.
 */
import { CodedError } from '../shared/errors.ts';

export type StartErrorCode =
  | 'LISTEN_BAD'
  | 'PORT_TAKEN'
  | 'LISTEN_FAILED'
  | 'PAIRING_URL_BAD'
  | 'DATA_FOLDER_UNUSABLE'
  | 'DATA_FOLDER_IN_USE'
  | 'IDENTITY_BAD'
  | 'DATABASE_UNREACHABLE'
  | 'DATABASE_TOO_NEW'
  | 'REFERENCE_MISSING'
  | 'REFERENCE_UNREADABLE'
  | 'TRUST_MISSING'
  | 'TRUST_UNREADABLE'
  | 'POLICY_UNUSABLE';

/** The broker cannot start as it was asked to. */
export class StartError extends CodedError<StartErrorCode> {}

/** Every code a request can be refused with, and its HTTP status: the one table behind routes, OpenAPI and tests. */
export const requestErrorStatus = {
  REQUEST_MALFORMED: 400,
  PUBLIC_AREA_MALFORMED: 400,
  EVIDENCE_MALFORMED: 400,
  EK_UNSUITABLE: 400,
  AK_UNSUITABLE: 400,
  ACTIVATION_REFUSED: 403,
  EK_NOT_OF_MACHINE: 403,
  AK_NOT_ACTIVATED: 403,
  SESSION_NOT_OF_MACHINE: 403,
  ROUTE_UNKNOWN: 404,
  MACHINE_UNKNOWN: 404,
  REPORT_UNKNOWN: 404,
  RESULT_UNKNOWN: 404,
  CHALLENGE_UNKNOWN: 404,
  VERIFICATION_UNKNOWN: 404,
  CHALLENGE_USED: 409,
  CHALLENGE_VOIDED: 409,
  VERIFICATION_REPEATED: 409,
  VERIFICATION_ANSWERED: 409,
  CHALLENGE_EXPIRED: 410,
  VERIFICATION_EXPIRED: 410,
  REPORT_NOT_KEPT: 410,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RATE_LIMITED: 429,
  PAIRINGS_BUSY: 429,
  VERIFICATIONS_BUSY: 429,
  INTERNAL: 500,
  ENROLMENTS_FULL: 503,
  MACHINES_FULL: 503,
  PAIRINGS_FULL: 503,
  VERIFICATIONS_FULL: 503,
} as const;

export type RequestErrorCode = keyof typeof requestErrorStatus;

/** The broker refuses this request; the text goes out as `ErrorAnswer`. */
export class RequestError extends CodedError<RequestErrorCode> {
  get status(): number {
    return requestErrorStatus[this.code];
  }
}

export function machineUnknown(): RequestError {
  return new RequestError('MACHINE_UNKNOWN', 'no machine with this id has enrolled here', {
    nextStep: 'enrol first: POST /v1/enrolments',
  });
}
