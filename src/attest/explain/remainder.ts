/** What no other rule has words for: named by register, so that nothing that changed goes unsaid. */

import { inWords } from './boot-loader.ts';
import { differing, type Rule, someOf } from './change.ts';

const MAX_NAMED = 3;

export const remainderRule: Rule = (pairs, { where }) => {
  const left = differing(pairs);
  return [...new Set(left.map(({ pcr }) => pcr))].map((pcr) => {
    const own = left.filter((pair) => pair.pcr === pcr);
    const what = someOf(own.map(inWords), MAX_NAMED);
    return {
      code: 'MEASUREMENT_CHANGED',
      sentence: `Register ${pcr} has other measurements than ${where}: ${what}.`,
      remedy: 'Compare the tables below; ask the owner what was changed on that machine.',
      pairs: own,
    };
  });
};
