/** The refusals of a route for its schema: status to `ErrorAnswer`; too large and broken inside can happen anywhere. */
import { ErrorAnswer } from '../../protocol/messages.ts';

export function refusals(...statuses: readonly (400 | 403 | 404 | 409 | 410 | 429 | 503)[]) {
  return Object.fromEntries([...statuses, 413, 500].map((status) => [status, ErrorAnswer]));
}
