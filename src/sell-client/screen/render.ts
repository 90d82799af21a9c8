/** The screen as 25 rows of 80 cells: a pure function of what is known, made to be read from two metres. */
import type { AgentState } from '../agent/state.ts';
import { bigText } from './big-letters.ts';
import { factLines } from './facts.ts';
import { asksToPair, type Headline, headlineOf } from './headline.ts';
import { pairingPage } from './pairing-page.ts';
import { problems } from './problems.ts';
import { COLUMNS, duration, overlaid, ROWS, type Row, row, wrapped } from './rows.ts';

export interface ScreenFacts {
  readonly title: string;
  readonly nowMs: number;
  /** An image for developers: said in place of everything else that is large. */
  readonly debug?: boolean;
}

/** Rows of text between the big word and the facts. */
const TEXT_ROWS = 5;

export function renderScreen(state: AgentState, facts: ScreenFacts): Row[] {
  if (!facts.debug && state.pairing.kind === 'waiting' && asksToPair(state, facts.nowMs)) {
    return pairingPage(state, state.pairing, facts.nowMs);
  }
  const headline = facts.debug ? debugHeadline(headlineOf(state, facts.nowMs)) : headlineOf(state, facts.nowMs);
  const rows = [
    titleRow(facts),
    ...bigText(headline.word, COLUMNS - 2).map((line) => row(` ${line}`, headline.look)),
    ...textRows(state, headline),
    row('-'.repeat(COLUMNS), 'd'),
    ...factLines(state, facts.nowMs).map((line) => row(line)),
  ].slice(0, ROWS);
  while (rows.length < ROWS) rows.push(row(''));
  return rows;
}

function debugHeadline({ word, sentence }: Headline): Omit<Headline, 'word'> & { readonly word: string } {
  return {
    word: 'DEBUG',
    look: 'r',
    sentence: `Not for selling: whoever sits here has a shell. ${word}: ${sentence}`,
    nextStep: 'use the release image; verifiers refuse this one',
  };
}

function titleRow({ title, nowMs }: ScreenFacts): Row {
  const uptime = `running for ${duration(nowMs)}`;
  return overlaid(row(title, 'd'), COLUMNS - uptime.length, uptime, 'd');
}

/** What it means and what to do; then what else is wrong, as far as there is room. */
function textRows(state: AgentState, headline: Pick<Headline, 'sentence' | 'nextStep'>): Row[] {
  const told = wrapped(headline.sentence, COLUMNS - 2, '  ').slice(0, TEXT_ROWS - 2);
  const advice = wrapped(`What to do: ${headline.nextStep}`, COLUMNS - 2, '  ').slice(0, TEXT_ROWS - told.length);
  const others = otherProblems(state, headline, TEXT_ROWS - told.length - advice.length);
  const rows = [
    ...told.map((line) => row(` ${line}`, 'w')),
    ...advice.map((line) => row(` ${line}`, 'w')),
    ...others.map((line) => row(` ${line}`, 'r')),
  ].slice(0, TEXT_ROWS);
  while (rows.length < TEXT_ROWS) rows.push(row(''));
  return [row(''), ...rows];
}

/** In words where they fit, else by their codes. */
function otherProblems(state: AgentState, headline: Pick<Headline, 'sentence'>, room: number): string[] {
  const found = [...problems(state), ...(state.problem === null ? [] : [state.problem.problem])];
  const others = new Map(found.map((one) => [one.code, one.message]));
  for (const code of others.keys()) if (headline.sentence.includes(`[${code}]`)) others.delete(code);
  if (others.size === 0) return [];
  const told = [...others].flatMap(([code, message]) => wrapped(`! also: ${message} [${code}]`, COLUMNS - 2, '  '));
  return told.length <= room ? told : [`! also: ${[...others.keys()].join(', ')}`];
}
