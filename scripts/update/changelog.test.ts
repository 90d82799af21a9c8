import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newsSince, parseChangelog, summarize } from './changelog.ts';

const entry = (heading: string, ...lines: string[]) =>
  `${heading}\n\n${lines.map((line) => `  ${line}\n`).join('')}\n -- A Person <a@example.org>  Tue, 29 Sep 2026 22:10:28 +0200\n`;

const tls = [
  entry(
    'tls (3.5.7-1~deb13u3) trixie-security; urgency=medium',
    '* CVE-2026-84782 ("Buffer',
    '  Offset")',
    '* CVE-2026-1 no id',
  ),
  entry('tls (3.5.7-1~deb13u2) trixie; urgency=HIGH (security fix)', '* CVE-2026-18798 and CVE-2026-84782'),
  entry('tls (3.5.7-1~deb13u1) trixie-security; urgency=emergency', '* CVE-2025-11111'),
  entry('tls (3.5.6-1) unstable; urgency=low', '* New upstream release.'),
].join('\n');

describe('parseChangelog', () => {
  it('reads headings and ids', () => {
    expect(parseChangelog(tls).slice(0, 2)).toEqual([
      {
        source: 'tls',
        version: '3.5.7-1~deb13u3',
        distributions: ['trixie-security'],
        urgency: 'medium',
        binaryOnly: false,
        cves: ['CVE-2026-84782'],
      },
      {
        source: 'tls',
        version: '3.5.7-1~deb13u2',
        distributions: ['trixie'],
        urgency: 'high',
        binaryOnly: false,
        cves: ['CVE-2026-18798', 'CVE-2026-84782'],
      },
    ]);
  });

  it.each([
    ['; urgency=low, binary-only=yes', { urgency: 'low', binaryOnly: true }],
    ['; binary-only=yes, Urgency = Critical', { urgency: 'critical', binaryOnly: true }],
    ['; urgency=medium;', { urgency: 'medium', binaryOnly: false }],
    ['; urgency=someday', { urgency: undefined, binaryOnly: false }],
    [';', { urgency: undefined, binaryOnly: false }],
  ])('settings%s', (settings, expected) => {
    expect(parseChangelog(`box (1:1.37.0-6+b9) trixie stable${settings}\n`)).toEqual([
      expect.objectContaining({ version: '1:1.37.0-6+b9', distributions: ['trixie', 'stable'], ...expected }),
    ]);
  });

  it('never fails, whatever it reads', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a (1) b; urgency=', '\n', ' (', 'CVE-2026-', ');', 'x (0:~) ; =,=', tls.slice(0, 200)),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.string(), fc.string(), (pieces, before, after) => {
        const text = pieces.join('');
        const entries = parseChangelog(text);
        expect(newsSince(text, before, after).entries.length).toBeLessThanOrEqual(entries.length);
        summarize(entries);
      }),
    );
  });
});

describe('newsSince', () => {
  const versions = (before: string, after: string, text = tls) =>
    newsSince(text, before, after).entries.map((one) => one.version);

  it('goes down to the old version and not further', () => {
    expect(versions('3.5.7-1~deb13u1', '3.5.7-1~deb13u3')).toEqual(['3.5.7-1~deb13u3', '3.5.7-1~deb13u2']);
    expect(versions('3.5.7-1~deb13u3', '3.5.7-1~deb13u3')).toEqual([]);
  });

  it('stops below an old version that the changelog does not name', () => {
    expect(versions('3.5.7-1~deb13u1+b2', '3.5.7-1~deb13u3')).toEqual(['3.5.7-1~deb13u3', '3.5.7-1~deb13u2']);
  });

  it('tells a rebuild from a change of the source', () => {
    const rebuilt = `${entry('tls (3.5.7-1~deb13u3+b1) trixie; urgency=low, binary-only=yes', '* Rebuild')}\n${tls}`;
    const { entries } = newsSince(rebuilt, '3.5.7-1~deb13u3', '3.5.7-1~deb13u3+b1');
    expect(entries).toEqual([expect.objectContaining({ binaryOnly: true, urgency: 'low', cves: [] })]);
  });

  it('takes the version of a signed package, which names two sources', () => {
    const text =
      entry('shim-signed (1.52) trixie; urgency=medium', '* Signed') +
      entry('shim-signed (1.51) unstable; urgency=low');
    expect(versions('1.51+16.1-1', '1.52+16.1-2', text)).toEqual(['1.52']);
  });

  it('follows the signed kernel into the changelog of its source', () => {
    const text = [
      entry('linux-signed-amd64 (6.12.117+1) trixie-security; urgency=high', '* Sign kernel from linux 6.12.117-1'),
      entry('linux (6.12.116-1) trixie-security; urgency=high'),
      entry('linux (6.12.111-1) trixie-security; urgency=high'),
    ].join('\n');
    expect(versions('6.12.111-1', '6.12.117-1', text)).toEqual(['6.12.117+1', '6.12.116-1']);
  });

  it('tells only the newest entry where source and package count otherwise', () => {
    const text = entry('lvm2 (2.03.32-1) unstable; urgency=medium') + entry('lvm2 (2.03.31-1) unstable; urgency=high');
    expect(newsSince(text, '2:1.02.205-1', '2:1.02.206-1')).toMatchObject({
      comparable: false,
      entries: [{ version: '2.03.32-1' }],
    });
  });
});

describe('summarize', () => {
  it('takes the highest urgency and each id once', () => {
    expect(summarize(parseChangelog(tls).slice(0, 2))).toEqual({
      urgency: 'high',
      security: true,
      cves: ['CVE-2026-84782', 'CVE-2026-18798'],
    });
  });

  it('calls security what the security archive brought, not every urgent upload', () => {
    const plain = parseChangelog(entry('a (2) unstable; urgency=high', '* Faster'));
    expect(summarize(plain)).toEqual({ urgency: 'high', security: false, cves: [] });
    expect(summarize(parseChangelog(entry('a (2) trixie-security; urgency=low')))).toMatchObject({ security: true });
    expect(summarize([])).toEqual({ urgency: undefined, security: false, cves: [] });
  });
});
