import { describe, expect, it } from 'vitest';
import { differences, type Inputs } from './step-differences.ts';
import { explainSteps, formatSteps, type Reported } from './step-report.ts';

const hash = (digit: string) => digit.repeat(64);

describe('differences', () => {
  it.each<{ before: Inputs; after: Inputs; expected: string[] }>([
    { before: { a: 1 }, after: { a: 1 }, expected: [] },
    { before: { version: '20.1-1' }, after: { version: '20.2-1' }, expected: ['version 20.1-1 → 20.2-1'] },
    { before: { 'the bundle': hash('a') }, after: { 'the bundle': hash('b') }, expected: ['the bundle changed'] },
    { before: { wanted: ['a', 'b'] }, after: { wanted: ['b', 'c'] }, expected: ['wanted + c − a'] },
    { before: { wanted: ['a', 'b'] }, after: { wanted: ['b', 'a'] }, expected: ['wanted in another order'] },
    { before: { old: 1 }, after: { fresh: 1 }, expected: ['fresh is new', 'old is gone'] },
    {
      before: { files: { nodejs: ['usr/bin/node'] } },
      after: { files: { nodejs: ['usr/bin/node', 'usr/share/x'] } },
      expected: ['files: nodejs + usr/share/x'],
    },
  ])('$before, then $after', ({ before, after, expected }) => expect(differences(before, after)).toEqual(expected));
});

const step = (name: string, why: string[] = [], seconds = 0): Reported => ({ name, why, seconds, ran: why.length > 0 });

describe('the report of a build', () => {
  const results = [
    step('tools'),
    step('package/nodejs', ['version 1 → 2', 'deb changed'], 3),
    step('package/seabios'),
    step('cpushare-seller/base', ['package nodejs changed'], 21.04),
    step('cpushare-seller/agent'),
    step('cpushare-seller/about', ['never built here'], 0.26),
  ];

  it('has a row for each step, one for all packages, and one for all', () => {
    expect(formatSteps(results, 23.2).split('\n')).toEqual([
      'step                            seconds',
      'tools                            cached',
      '2 packages, 1 of them unpacked      1.5',
      'base                               21.0',
      'agent                            cached',
      'about                               0.3',
      'all                                23.2',
    ]);
  });

  it('explains what ran', () => {
    expect(explainSteps(results).split('\n')).toEqual([
      'unchanged: tools, 1 package, agent',
      'never built here: about',
      'package nodejs ran because',
      '  version 1 → 2',
      '  deb changed',
      'base ran because',
      '  package nodejs changed',
    ]);
  });
});
