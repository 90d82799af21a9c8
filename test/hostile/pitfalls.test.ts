/** Every line of ATTEST-PITFALLS has a test that names it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('each pitfall from 1 to 64 is named by a test', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.startsWith('pitfalls-'));
  const named = files.flatMap((name) =>
    [...readFileSync(`${import.meta.dirname}/${name}`, 'utf8').matchAll(/['"`]pitfall (\d+): /g)].map((match) =>
      Number(match[1]),
    ),
  );
  const missing = Array.from({ length: 64 }, (_, index) => index + 1).filter((number) => !named.includes(number));
  expect(missing).toEqual([]);
});
