/** The outcome of a judgement as a page section: the answer first, then why, the picture, and everything behind it. */
import type { TpmClass } from '../../attest/evidence.ts';
import { weaknessOf } from '../../attest/result/limits.ts';
import type { Check, Verdict } from '../../attest/verdict.ts';
import type { CodedError } from '../../shared/errors.ts';
import { chainsOf } from '../chain.ts';
import { el, icon } from '../dom.ts';
import type { Outcome, ReportFacts } from '../judge.ts';
import { chainPicture } from './chain-picture.ts';
import { changeList } from './changes.ts';
import { checkDetails, failureBox } from './checks.ts';
import { factList } from './facts.ts';
import { registerTable } from './registers.ts';
import { savedJson } from './saved-json.ts';

export interface ResultView {
  readonly banner: HTMLElement;
  /** In the order in which they are read. */
  readonly details: readonly HTMLElement[];
}

export function resultView(outcome: Outcome): ResultView {
  if (outcome.kind === 'unjudged') return { banner: unjudgedBanner(outcome.error), details: [] };
  const { verdict, facts, changes } = outcome;
  const failed = verdict.checks.filter(({ status }) => status === 'failed');
  return {
    banner: verdictBanner(verdict, failed),
    details: [
      ...(failed.length === 0 ? [] : [section('Why', ...failed.map(failureBox))]),
      ...(changes.length === 0 ? [] : [section('What changed', changeList(changes))]),
      section('How it started', chainPicture(chainsOf(verdict))),
      section('The machine', factList(verdict, facts)),
      section('What this cannot promise', el('ul', {}, ...limits(verdict, facts).map((limit) => el('li', {}, limit)))),
      ...(verdict.pcrs.length === 0 ? [] : [section('Registers', registerTable(verdict.pcrs))]),
      section('All checks', checkDetails(verdict.checks)),
      section('The verdict as JSON', savedJson(verdict)),
    ],
  };
}

function verdictBanner(verdict: Verdict, failed: readonly Check[]): HTMLElement {
  const accepted = verdict.status === 'accepted';
  const passed = verdict.checks.filter(({ status }) => status === 'passed').length;
  const image = verdict.image === null ? '' : `The machine runs ${verdict.image.name} ${verdict.image.version}. `;
  const sentence = accepted
    ? `${image}All ${verdict.checks.length} checks passed.`
    : `${failed[0]?.sentence ?? ''} ${passed} of ${verdict.checks.length} checks passed.`;
  return el(
    'div',
    { class: `banner ${accepted ? 'good' : 'bad'}`, 'data-status': verdict.status },
    icon(accepted ? 'good' : 'bad'),
    el('h2', { tabindex: '-1' }, accepted ? 'ACCEPTED' : 'REFUSED'),
    el('div', {}, el('p', {}, sentence), accepted ? caution(verdict.tpm.class) : null),
  );
}

/** Accepted because somebody chose to: what that is worth belongs beside the word. */
function caution(tpmClass: TpmClass): HTMLElement | null {
  return tpmClass === 'software' || tpmClass === 'unknown' ? el('p', {}, weaknessOf(tpmClass)) : null;
}

function unjudgedBanner(error: CodedError): HTMLElement {
  return el(
    'div',
    { class: 'banner open', 'data-status': 'unjudged' },
    icon('open'),
    el('h2', { tabindex: '-1' }, 'COULD NOT BE JUDGED'),
    el(
      'div',
      {},
      el('p', {}, `${capital(error.message)} `, el('code', {}, error.code)),
      ...causesOf(error).map((cause) => el('p', { class: 'cause' }, `because: ${cause}`)),
      error.nextStep === undefined ? null : el('p', {}, `Next step: ${error.nextStep}.`),
    ),
  );
}

const MAX_CAUSES = 5;
const MAX_CAUSE_LENGTH = 300;

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) {
    const { message } = cause;
    causes.push(message.length > MAX_CAUSE_LENGTH ? `${message.slice(0, MAX_CAUSE_LENGTH)}…` : message);
  }
  return causes;
}

/** The verdict's own, and what this page adds by how it was asked. */
function limits(verdict: Verdict, facts: ReportFacts): readonly string[] {
  if (facts.challengeSource === 'given') return verdict.limits;
  const stale = 'The challenge was taken from the report itself: nothing here shows when the machine answered it.';
  return [stale, ...verdict.limits];
}

function section(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  const id = `result-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return el('section', { 'aria-labelledby': id }, el('h3', { id }, title), ...content);
}

const capital = (sentence: string): string => `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
