import { describe, expect, it } from 'vitest';
import { describeSeparation, separate } from '../matrix/separate.ts';

const VARIATIONS = ['time zone', 'umask', 'clock'] as const;
type Variation = (typeof VARIATIONS)[number];
type Build = (varied: ReadonlySet<Variation>) => string | undefined;

async function tried(build: Build) {
  const builds: string[] = [];
  const found = await separate(VARIATIONS, async (varied) => {
    builds.push(varied.join('+'));
    return build(new Set(varied));
  });
  return { found, builds, text: describeSeparation(found) };
}

describe('a build on another host', () => {
  it('that gives the same bytes is made once', async () => {
    const { found, builds } = await tried(() => undefined);
    expect(found).toEqual({ kind: 'same' });
    expect(builds).toEqual(['time zone+umask+clock']);
  });

  it('that differs is made with each variation alone, and the one at fault is named', async () => {
    const { builds, text } = await tried((varied) => (varied.has('umask') ? 'initrd: base.sqfs' : undefined));
    expect(builds).toEqual(['time zone+umask+clock', '', 'time zone', 'umask', 'clock']);
    expect(text).toBe(
      'the first component that differs: initrd: base.sqfs; caused by: umask (first in initrd: base.sqfs)',
    );
  });

  it('names every variation at fault, each with the component it changes first', async () => {
    const { text } = await tried((varied) => {
      if (varied.has('clock')) return 'kernel';
      return varied.has('time zone') ? 'grub.cfg' : undefined;
    });
    expect(text).toBe(
      'the first component that differs: kernel; caused by: time zone (first in grub.cfg), clock (first in kernel)',
    );
  });

  it('says so when only several together are at fault', async () => {
    const { text } = await tried((varied) => (varied.size > 1 ? 'kernel' : undefined));
    expect(text).toBe('the first component that differs: kernel; caused by: none of the variations alone');
  });

  it('that differs with nothing varied has no variation at fault', async () => {
    const { builds, text } = await tried(() => 'kernel');
    expect(builds).toEqual(['time zone+umask+clock', '']);
    expect(text).toBe('differs on the same host too, first in kernel');
  });
});
