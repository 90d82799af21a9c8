import { describe, expect, it } from 'vitest';
import { licencesIn, spdxOrName } from './deb-licences.ts';

const HEADER = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: tool\n';

describe('licencesIn', () => {
  it('names each licence once, sorted, and leaves out stanzas that only give its words', () => {
    const text = `${HEADER}
Files: *
Copyright: 2020 Somebody
License: GPL-2+
 This program is free software.

Files: lib/*
 src/*
Copyright: 2021 Else
License:   Expat or   Artistic

Files: debian/*
License: GPL-2+

License: CC0-1.0
 Words that nobody refers to.
`;
    expect(licencesIn(text)).toEqual(['Expat or Artistic', 'GPL-2+']);
  });

  it('says nothing of free text, nor of a form without licences', () => {
    expect(licencesIn('This is free software, License: GPL-2+')).toBeUndefined();
    expect(licencesIn(`${HEADER}\nFiles: *\nCopyright: me\n`)).toBeUndefined();
    expect(licencesIn('')).toBeUndefined();
  });

  it('takes the licence of the whole work from the header', () => {
    expect(licencesIn(`${HEADER}License: Zlib\n`)).toEqual(['Zlib']);
  });
});

it.each([
  ['Expat', 'MIT'],
  ['GPL-2', 'GPL-2.0-only'],
  ['GPL-2+', 'GPL-2.0-or-later'],
  ['GPL-2.0+', 'GPL-2.0-or-later'],
  ['LGPL-2.1+', 'LGPL-2.1-or-later'],
  ['LGPL-3', 'LGPL-3.0-only'],
  ['Apache-2.0', 'Apache-2.0'],
  ['GPL-2+ with OpenSSL exception', 'GPL-2+ with OpenSSL exception'],
])('%s is %s to SPDX', (debian, spdx) => expect(spdxOrName(debian)).toBe(spdx));
