/** A policy file says everything, and nothing twice. */
import { describe, expect, it } from 'vitest';
import { policyAccepting } from './policies.ts';
import { parsePolicy } from './policy.ts';

const good = structuredClone(policyAccepting(['hardware', 'firmware'])) as unknown as Record<string, unknown>;
type Path = readonly (string | number)[];

/** Every field of the policy, by path. */
function paths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...paths(inner, [...path, key])]);
}

function changed(path: Path, change: (object: Record<string, unknown>, key: string) => void): string {
  const copy = structuredClone(good);
  const object = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
  change(object, String(path.at(-1)));
  return JSON.stringify(copy);
}

function refusal(json: string): string {
  try {
    parsePolicy(json);
  } catch (error) {
    expect(error).toMatchObject({ code: 'POLICY_MALFORMED', nextStep: expect.any(String) });
    return (error as Error).message;
  }
  return 'accepted';
}

describe('a policy file', () => {
  it('is read as written', () => expect(parsePolicy(JSON.stringify(good))).toEqual(good));

  it.each(paths(good).map((path) => [path.join('.'), path] as const))(
    'needs %s, and names it when it is missing',
    (name, path) => {
      const message = refusal(changed(path, (object, key) => delete object[key]));
      expect(message).toContain(`lacks the key "${path.at(-1)}"`);
      expect(message).toContain(['policy', ...path.slice(0, -1)].join('.'));
      expect(refusal(changed(path, (object, key) => Object.assign(object, { [key]: {} }))), name).toContain(
        `policy.${name}`,
      );
    },
  );

  it.each(
    paths(good)
      .filter((path) => path.length === 1 || path[0] === 'secureBoot')
      .map((path) => [path.join('.'), path] as const),
  )('refuses a misspelt neighbour of %s', (_, path) => {
    const message = refusal(changed(path, (object, key) => Object.assign(object, { [`${key}s`]: object[key] })));
    expect(message).toContain(`has the unknown key "${path.at(-1)}s"`);
  });

  it.each([
    { path: ['requireSecureBoot'], value: false, says: 'policy.requireSecureBoot must be one of true' },
    { path: ['acceptedTpmClasses'], value: [], says: 'policy.acceptedTpmClasses has 0 entries' },
    { path: ['acceptedTpmClasses'], value: ['any'], says: 'policy.acceptedTpmClasses[0] must be one of' },
    { path: ['pcrs'], value: [1, 0], says: 'must be ascending, 0 is not' },
    { path: ['pcrs'], value: [0, 0], says: 'policy.pcrs[1] is 0 for the second time' },
    { path: ['pcrs'], value: [24], says: 'policy.pcrs[0] must be one of' },
    { path: ['banks'], value: ['sha384'], says: 'policy.banks must hold "sha256"' },
    { path: ['banks'], value: ['sha256', 'sha1'], says: 'policy.banks[1] must be one of' },
    { path: ['firmwareWorkarounds'], value: ['anything'], says: 'policy.firmwareWorkarounds[0] must be one of' },
    { path: ['firmwareWorkarounds'], value: ['log-padding', 'log-padding'], says: 'for the second time' },
    {
      path: ['secureBoot', 'allowedAuthorities'],
      value: 'all',
      says: 'policy.secureBoot.allowedAuthorities must be "any"',
    },
    {
      path: ['secureBoot', 'allowedAuthorities'],
      value: [],
      says: 'policy.secureBoot.allowedAuthorities has 0 entries',
    },
    {
      path: ['secureBoot', 'allowedAuthorities'],
      value: ['Microsoft'],
      says: 'allowedAuthorities[0] must be a SHA-256',
    },
    { path: ['secureBoot', 'dbx', 'minimumEntries'], value: -1, says: 'policy.secureBoot.dbx.minimumEntries must be' },
    { path: ['secureBoot', 'dbx', 'requiredHashes'], value: ['AB'], says: 'policy.secureBoot.dbx.requiredHashes[0]' },
    {
      path: ['secureBoot', 'dbx', 'notOlderThan'],
      value: '2022-01-01',
      says: 'policy.secureBoot.dbx.notOlderThan must be',
    },
    { path: ['secureBoot', 'unknownVariables'], value: 'accept', says: 'policy.secureBoot.unknownVariables must be' },
  ])('refuses $path = $value', ({ path, value, says }) => {
    expect(refusal(changed(path, (object, key) => Object.assign(object, { [key]: value })))).toContain(says);
  });

  it.each([
    { path: ['banks'], value: ['sha256', 'sha384'] },
    { path: ['secureBoot', 'allowedAuthorities'], value: ['Microsoft UEFI CA 2023', 'ab'.repeat(32)] },
    { path: ['secureBoot', 'dbx', 'notOlderThan'], value: '2023-05-01' },
    { path: ['secureBoot', 'unknownVariables'], value: 'list' },
    { path: ['firmwareWorkarounds'], value: [] },
  ])('takes $path = $value', ({ path, value }) => {
    expect(refusal(changed(path, (object, key) => Object.assign(object, { [key]: value })))).toBe('accepted');
  });

  it.each(['', '{}', '[]', 'null', '{"acceptedTpmClasses":'])('refuses %j', (json) => {
    expect(refusal(json)).toContain('policy');
  });
});
