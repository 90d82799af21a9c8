import { describe, expect, it } from 'vitest';
import { renderVerification } from './render.ts';
import type { Verification } from './verify-build.ts';

const part = (name: string) => ({ name, sha256: name, extent: { start: 0, sizeBytes: 1 } });
const same = {
  about: {
    version: {
      image: { name: 'cpushare-seller', version: '0.1.0' },
      date: '2026-11-19T02:12:54.000Z',
      sourceSha256: 'ab',
    },
    lock: { packages: [{}, {}] },
    source: { files: Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`file${index}`, ''])) },
  },
  ...{ sha256: 'cd', sizeBytes: 63_000_000, builtIso: '/work/built.iso' },
  parts: [part('kernel'), part('initrd: agent.sqfs'), part('initrd')],
  ...{ differences: [], inside: undefined, sourceDifferences: [] },
} as unknown as Verification;

describe('the outcome', () => {
  it('says that the bytes are the same, and nothing else to do', () => {
    expect(renderVerification(same)).toBe(
      [
        'Image:   cpushare-seller 0.1.0, packages of 2026-11-19, 2 in its lock',
        'ISO:     63000000 bytes, sha256 cd',
        '',
        'SAME BYTES: this checkout builds exactly this ISO.',
      ].join('\n'),
    );
  });

  it('names the first component with both hashes, the first path in it, what follows, what is equal, and what to do', () => {
    const text = renderVerification({
      ...same,
      differences: [
        { name: 'initrd: agent.sqfs', given: '11', built: '22' },
        { name: 'initrd', given: '33', built: undefined },
      ],
      inside: { path: '/etc/hosts', count: 2, given: 'mode 1', built: 'mode 2' },
      sourceDifferences: Array.from({ length: 10 }, (_, index) => `file${index}`),
    });
    expect(text.split('\n').slice(2)).toEqual([
      'Source:  10 of 12 differ here:',
      ...Array.from({ length: 8 }, (_, index) => `           file${index}`),
      '           and 2 more',
      '',
      'DIFFERENT. The first component that differs: initrd: agent.sqfs',
      '  in the ISO:  sha256 11',
      '  built here:  sha256 22',
      '  in it, 2 paths differ, the first: /etc/hosts',
      '    in the ISO:  mode 1',
      '    built here:  mode 2',
      'Also: initrd',
      'Equal: kernel',
      '',
      expect.stringMatching(/^Next step: check out the source of release 0\.1\.0/),
    ]);
  });

  it('with the same source, suspects the ISO or the build', () => {
    const differences = [{ name: 'kernel', given: undefined, built: '22' }];
    const text = renderVerification({ ...same, differences });
    expect(text).toContain('Source:  the same 12 files as here');
    expect(text).toContain('  in the ISO:  not there');
    expect(text).toMatch(/Next step: the source is the same, so the ISO was changed after its build/);
  });
});
