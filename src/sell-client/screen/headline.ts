/** The one thing that a seller must see from afar: a word, what it means, and what to do next. */
import { type AgentState, isAttested, type Problem } from '../agent/state.ts';
import { problems } from './problems.ts';
import { duration, type Look } from './rows.ts';

/** Words that fit the screen in big letters. EARNING belongs to a running lease; this release has no market that gives one. */
export type StateWord =
  | 'BOOTING'
  | 'SET UP'
  | 'OFFLINE'
  | 'PAIR ME'
  | 'WAITING'
  | 'REFUSED'
  | 'NO TPM'
  | 'ERROR'
  | 'EARNING';

export interface Headline {
  readonly word: StateWord;
  readonly look: Look;
  /** With the code of the error, where it is one. */
  readonly sentence: string;
  readonly nextStep: string;
}

const LOOKS: Record<StateWord, Look> = {
  BOOTING: 'w',
  'SET UP': 'y',
  OFFLINE: 'r',
  'PAIR ME': 'y',
  WAITING: 'g',
  REFUSED: 'r',
  'NO TPM': 'y',
  ERROR: 'r',
  EARNING: 'g',
};
const OFFLINE_CODES = new Set(['BROKER_UNREACHABLE', 'BROKER_NAME_UNKNOWN', 'BROKER_CUT_OFF']);
const NOTHING = 'nothing; it goes on by itself';

export function headlineOf(state: AgentState, nowMs: number): Headline {
  const [first] = problems(state);
  if (first !== undefined && isOfNetwork(first)) return wrong('OFFLINE', first);
  if (state.configuration.kind === 'missing' && first !== undefined) return wrong('SET UP', first);
  if (state.configuration.kind === 'rejected' || state.tpm.kind === 'failed') {
    if (first !== undefined) return wrong('ERROR', first);
  }
  if (state.attestation.kind === 'refused') return wrong('REFUSED', state.attestation.problem);
  if (state.problem !== null && !isAttested(state, nowMs)) return retrying(state.problem, nowMs);
  if (state.pairing.kind === 'waiting') return pairMe(state.pairing.verificationUri);
  if (state.pairing.kind === 'denied') return denied(state.pairing.nextAtMs, nowMs);
  if (state.attestation.kind === 'unattested') return wrong('NO TPM', state.attestation.problem);
  if (isAttested(state, nowMs)) {
    const sentence = 'This machine has proven what it runs and waits for work.';
    return said('WAITING', sentence, 'nothing; leave it on. The stick or CD is no longer needed');
  }
  if (state.attestation.kind === 'accepted') {
    return said('OFFLINE', 'The broker has not verified this machine for a while.', NOTHING);
  }
  return said('BOOTING', begun(state), NOTHING);
}

/** Whether the seller is asked to pair, and nothing more pressing is wrong. */
export function asksToPair(state: AgentState, nowMs: number): boolean {
  return headlineOf(state, nowMs).word === 'PAIR ME' && state.pairing.kind === 'waiting';
}

function begun(state: AgentState): string {
  if (state.network.kind === 'searching') return 'Starting: looking for network, TPM and configuration.';
  const { wifi } = state;
  if (state.network.kind !== 'up' && wifi.kind === 'connecting') return 'Starting: joining the Wi-Fi network.';
  if (state.network.kind !== 'up' && (wifi.kind === 'starting' || wifi.kind === 'searching')) {
    return 'Starting: looking for the Wi-Fi network.';
  }
  if (state.configuration.kind === 'searching') return 'Starting: looking for the configuration.';
  if (state.attestation.kind === 'starting') return 'Starting: about to introduce this machine to the broker.';
  return 'The broker is verifying this machine.';
}

function pairMe(uri: string): Headline {
  return said('PAIR ME', 'Nobody has claimed this machine yet.', `open ${uri} and type the code`);
}

function denied(nextAtMs: number, nowMs: number): Headline {
  const sentence = "Somebody refused this machine on the broker's page.";
  return said('PAIR ME', sentence, `a new code is shown in ${duration(nextAtMs - nowMs)}`);
}

function retrying({ problem, retryAtMs }: NonNullable<AgentState['problem']>, nowMs: number): Headline {
  const again = `Trying again in ${duration(retryAtMs - nowMs)}.`;
  return wrong(isOfNetwork(problem) ? 'OFFLINE' : 'ERROR', problem, ` ${again}`);
}

function isOfNetwork({ code }: Problem): boolean {
  return /^(NETWORK|WIFI)_/.test(code) || OFFLINE_CODES.has(code);
}

function wrong(word: StateWord, problem: Problem, more = ''): Headline {
  return said(word, `! ${problem.message} [${problem.code}]${more}`, problem.nextStep ?? NOTHING);
}

function said(word: StateWord, sentence: string, nextStep: string): Headline {
  return { word, look: LOOKS[word], sentence, nextStep };
}
