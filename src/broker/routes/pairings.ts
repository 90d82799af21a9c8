/** Pairing over HTTP, the machine's side: RFC 8628 with signed JSON. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { PairingAnswer, PairingPoll, PairingRequest, PairingStatus } from '../../protocol/pairing-messages.ts';
import type { BrokerContext } from '../context.ts';
import { RequestError } from '../errors.ts';
import { pairingStatus, requestPairing } from '../pair.ts';
import { refusals } from './refusals.ts';

/** RFC 9112 §3.2, as a link can hold it. */
const HOST = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$/;

export const pairingRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.post(
    '/v1/pairings',
    {
      schema: {
        summary:
          'The machine asks for a code to show (RFC 8628 §3.1), or learns whose it is; a new code voids its earlier one',
        body: PairingRequest,
        response: { 200: PairingAnswer, ...refusals(400, 403, 404, 429, 503) },
      },
    },
    async (request) => {
      const host = request.headers.host ?? '';
      if (!HOST.test(host)) throw new RequestError('REQUEST_MALFORMED', 'the request names no host');
      return requestPairing(context, request.body, { address: request.ip, host });
    },
  );
  app.post(
    '/v1/pairings/token',
    {
      schema: {
        summary: 'The machine asks what became of its code (RFC 8628 §3.4); the answer is 200 whatever it is',
        body: PairingPoll,
        response: { 200: PairingStatus, ...refusals(400, 403, 404, 429) },
      },
    },
    async (request) => pairingStatus(context, request.body),
  );
  done();
};
