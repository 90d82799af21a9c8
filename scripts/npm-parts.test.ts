import { expect, it } from 'vitest';
import { npmPartsNamed, npmPartsOf } from './npm-parts.ts';

const lock = {
  'node_modules/one': {
    version: '1.0.0',
    license: 'MIT',
    integrity: `sha512-${Buffer.alloc(64, 7).toString('base64')}`,
  },
  'node_modules/@a/two': { version: '2.0.0' },
  'node_modules/one/node_modules/@a/two': { version: '2.1.0' },
  'node_modules/ours': { resolved: 'packages/ours', link: true },
  'packages/ours': { version: '0.1.0', license: 'Apache-2.0' },
};

it('finds the innermost package of each file, once, and what the lock says of it', () => {
  const files = [
    'src/main.ts',
    'node_modules/one/index.js',
    'node_modules/one/lib/deep/index.js',
    'node_modules/@a/two/x.js',
    'node_modules/one/node_modules/@a/two/x.js',
    'node_modules/ours/src/index.ts',
  ];
  expect(npmPartsOf(files, lock)).toEqual([
    { name: '@a/two', version: '2.0.0' },
    { name: 'one', version: '1.0.0', licence: 'MIT', sha512: '07'.repeat(64) },
    { name: '@a/two', version: '2.1.0' },
    { name: 'ours', version: '0.1.0', licence: 'Apache-2.0' },
  ]);
});

it('refuses what package-lock.json does not name', () => {
  expect(() => npmPartsNamed(['stranger'], lock)).toThrow(expect.objectContaining({ code: 'NPM_PACKAGE_UNLOCKED' }));
});
