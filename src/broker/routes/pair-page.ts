/** Pairing in the seller's browser: forms and pages, no script. Every change is a form with the token of its cookie. */
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { BrokerContext } from '../context.ts';
import { findMachine } from '../db/machines.ts';
import { decidePairing, lookAtPairing, machinesOf, removeMachine } from '../db/pairings.ts';
import { PAGE_HEADERS } from '../pair-page/layout.ts';
import { codePage, decisionPage, signInPage } from '../pair-page/pages.ts';
import { readUserCode, sha256Text } from '../pairing.ts';
import { createRateLimiter, type RateLimiter, requesterOf } from '../rate-limit.ts';
import { cookieOf, createSignIns, csrfFits, csrfOf, newToken, type SignIns, tokenOf } from '../sign-in.ts';

/** The argument why these are few enough is in pairing.ts. */
const CODE_TRIES = { burst: 20, perSecond: 1 / 20, maxRequesters: 10_000 };
const ALL_CODE_TRIES = { burst: 200, perSecond: 2, maxRequesters: 1 };
/** Secrets have 130 bits; this bounds the work of scrypt. */
const SIGN_INS = { burst: 10, perSecond: 1 / 6, maxRequesters: 10_000 };
const ALL_SIGN_INS = { burst: 40, perSecond: 2, maxRequesters: 1 };
const MAX_FORM_BYTES = 4096;
const MAX_LISTED = 100;

const WRONG_CODE = 'No machine shows this code now. Compare it with the screen: a code is good for 15 minutes.';
const GONE = 'That code is no longer good. The machine shows a new one by itself.';
const STALE = 'This form was too old. Please try again.';

type Form = URLSearchParams;

export const pairPageRoutes: FastifyPluginCallback<{ context: BrokerContext }> = (app, { context }, done) => {
  const desk = openDesk(context);
  const options = { bodyLimit: MAX_FORM_BYTES, schema: { hide: true } };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, parsed) =>
    parsed(null, new URLSearchParams(String(body))),
  );

  // QR codes hold capitals alone, in fewer dots.
  app.get('/PAIR/:code', options, async (request, reply) => {
    const code = readUserCode(String((request.params as { code: string }).code)) ?? '';
    return reply.redirect(`/pair${code === '' ? '' : `?code=${code}`}`, 303);
  });
  app.get('/pair', options, async (request, reply) => {
    const code = readUserCode(String((request.query as { code?: string }).code ?? '')) ?? '';
    return desk.first(visitOf(request), reply, { code });
  });
  app.post('/pair/sign-in', options, async (request, reply) => desk.signIn(visitOf(request), reply));
  app.post('/pair/sign-out', options, async (request, reply) => desk.signOut(visitOf(request), reply));
  app.post('/pair/look', options, async (request, reply) => desk.look(visitOf(request), reply));
  app.post('/pair/decide', options, async (request, reply) => desk.decide(visitOf(request), reply));
  app.post('/pair/remove', options, async (request, reply) => desk.remove(visitOf(request), reply));
  done();
};

interface Visit {
  readonly token: string | null;
  readonly requester: string;
  readonly form: Form;
}

function visitOf(request: FastifyRequest): Visit {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  return { token: tokenOf(request.headers.cookie), requester: requesterOf(request.ip), form };
}

interface Said {
  readonly code?: string;
  readonly problem?: string;
  readonly done?: string;
}

function openDesk(context: BrokerContext) {
  const { db } = context;
  const signIns: SignIns = createSignIns();
  const [codes, allCodes] = [createRateLimiter(CODE_TRIES), createRateLimiter(ALL_CODE_TRIES)];
  const [attempts, allAttempts] = [createRateLimiter(SIGN_INS), createRateLimiter(ALL_SIGN_INS)];
  const accountOf = (visit: Visit) => signIns.accountOf(visit.token, context.now());

  /** The page to begin with: sign in, or type a code. */
  const first = async (visit: Visit, reply: FastifyReply, said: Said, status = 200): Promise<FastifyReply> => {
    const token = visit.token ?? newToken();
    if (visit.token === null) reply.header('set-cookie', cookieOf(token));
    const here = { csrf: csrfOf(token), code: said.code ?? '', problem: said.problem ?? null };
    const account = accountOf(visit);
    if (account === null) return send(reply, status, signInPage(here));
    const machines = await machinesOf(db, account, MAX_LISTED);
    return send(reply, status, codePage({ ...here, account, machines, done: said.done ?? null }));
  };
  /** The account, once it is sure that this form is ours and somebody is signed in; else the page that says so was sent. */
  const entitled = async (visit: Visit, reply: FastifyReply): Promise<string | null> => {
    const account = accountOf(visit);
    if (csrfFits(visit.token, visit.form.get('csrf') ?? '') && account !== null) return account;
    await first(visit, reply, { problem: STALE }, 403);
    return null;
  };
  const waitOf = (limiters: readonly [RateLimiter, string][]) =>
    Math.max(...limiters.map(([limiter, key]) => limiter.take(key, context.now().getTime())));

  return {
    first,
    async signIn(visit: Visit, reply: FastifyReply) {
      const { form } = visit;
      const code = readUserCode(form.get('code') ?? '') ?? '';
      if (!csrfFits(visit.token, form.get('csrf') ?? '')) return first(visit, reply, { code, problem: STALE }, 403);
      const name = (form.get('name') ?? '').trim().toLowerCase();
      const waitSeconds = waitOf([
        [attempts, visit.requester],
        [attempts, `account ${name.slice(0, 40)}`],
        [allAttempts, 'all'],
      ]);
      if (waitSeconds > 0) return first(visit, reply, { code, problem: tooMany(waitSeconds) }, 429);
      if (!(await context.accounts.signsIn(name, form.get('secret') ?? ''))) {
        return first(visit, reply, { code, problem: 'Account or secret is wrong.' }, 403);
      }
      signIns.end(visit.token);
      // A new token: one that was there before somebody signed in may be known to others.
      reply.header('set-cookie', cookieOf(signIns.begin(name, context.now())));
      return reply.redirect(`/pair${code === '' ? '' : `?code=${code}`}`, 303);
    },
    async signOut(visit: Visit, reply: FastifyReply) {
      if (csrfFits(visit.token, visit.form.get('csrf') ?? '')) signIns.end(visit.token);
      return reply.redirect('/pair', 303);
    },
    async look(visit: Visit, reply: FastifyReply) {
      const account = await entitled(visit, reply);
      if (account === null) return reply;
      const typed = visit.form.get('code') ?? '';
      const waitSeconds = waitOf([
        [codes, visit.requester],
        [codes, `account ${account}`],
        [allCodes, 'all'],
      ]);
      if (waitSeconds > 0) return first(visit, reply, { code: typed, problem: tooMany(waitSeconds) }, 429);
      const userCode = readUserCode(typed);
      const pairing = userCode === null ? null : await lookAtPairing(db, sha256Text(userCode), context.now());
      if (userCode === null || pairing === null) return first(visit, reply, { code: typed, problem: WRONG_CODE }, 404);
      const machine = pairing.lasting ? await findMachine(db, pairing.machineId) : null;
      const csrf = csrfOf(visit.token ?? '');
      return send(reply, 200, decisionPage({ csrf, account, userCode, pairing, machine }));
    },
    async decide(visit: Visit, reply: FastifyReply) {
      const account = await entitled(visit, reply);
      if (account === null) return reply;
      const userCode = readUserCode(visit.form.get('code') ?? '') ?? '';
      const decision = visit.form.get('decision');
      if (decision !== 'confirm' && decision !== 'refuse') return first(visit, reply, { problem: STALE }, 400);
      const waitSeconds = waitOf([
        [codes, visit.requester],
        [codes, `account ${account}`],
        [allCodes, 'all'],
      ]);
      if (waitSeconds > 0) return first(visit, reply, { code: userCode, problem: tooMany(waitSeconds) }, 429);
      const approved = decision === 'confirm';
      const which = { userCodeSha256: sha256Text(userCode), account, approved };
      const pairing = await decidePairing(db, which, context.now());
      if (pairing === null) return first(visit, reply, { problem: GONE }, 410);
      const name = pairing.machineId.slice(0, 8);
      context.log(`machine ${pairing.machineId} ${approved ? 'paired with' : 'refused by'} account ${account}`);
      const said = approved
        ? `Machine ${name} is yours. Its screen says so within seconds.`
        : `Machine ${name} was refused. It shows another code after a while.`;
      return first(visit, reply, { done: said });
    },
    async remove(visit: Visit, reply: FastifyReply) {
      const account = await entitled(visit, reply);
      if (account === null) return reply;
      const machineId = visit.form.get('machine') ?? '';
      const removed = await removeMachine(db, account, machineId);
      if (!removed) return first(visit, reply, { problem: 'That machine is not yours.' }, 404);
      context.log(`machine ${machineId} removed by account ${account}`);
      const name = machineId.slice(0, 8);
      return first(visit, reply, { done: `Machine ${name} is no longer yours. It shows a code within some minutes.` });
    },
  };
}

function tooMany(seconds: number): string {
  return `Too many attempts. Please wait ${seconds} seconds.`;
}

function send(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).headers(PAGE_HEADERS).send(page);
}
