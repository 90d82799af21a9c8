import { describe, expect, it } from 'vitest';
import { allowedLink, isForeign, wishOf } from './links.ts';

const BROKER = 'https://broker.example:42007/verify/';
const DISK = 'file:///home/anna/verify.html';

describe('a fragment', () => {
  it('names links, challenge and broker', () => {
    expect(wishOf('#report=/v1/machines/ab/report&reference=https://a.example/r.json&nonce=0F&broker=a1')).toEqual({
      links: ['/v1/machines/ab/report', 'https://a.example/r.json'],
      nonce: '0F',
      brokerId: 'a1',
    });
  });

  it('may name several reference values, escaped or not', () => {
    expect(wishOf('#reference=a%26b&reference=c').links).toEqual(['a&b', 'c']);
  });

  it.each(['', '#', '#result', '#report=', '#=&&=', '#link=https://a.example/'])('%j wishes nothing', (fragment) => {
    expect(wishOf(fragment)).toEqual({ links: [], nonce: '', brokerId: '' });
  });
});

describe('a link', () => {
  it.each([
    { link: '/v1/machines/ab/report', page: BROKER, url: 'https://broker.example:42007/v1/machines/ab/report' },
    { link: 'report.json', page: 'http://127.0.0.1:8000/verify/', url: 'http://127.0.0.1:8000/verify/report.json' },
    { link: 'https://other.example/r.json', page: BROKER, url: 'https://other.example/r.json' },
    { link: 'https://other.example/r.json', page: DISK, url: 'https://other.example/r.json' },
  ])('$link is followed from $page', ({ link, page, url }) => expect(allowedLink(link, page).href).toBe(url));

  it.each([
    { link: '/v1/machines/ab/report', page: DISK },
    { link: 'http://other.example/r.json', page: BROKER },
    { link: 'http://broker.example:42007/r.json', page: BROKER },
    { link: 'file:///etc/passwd', page: DISK },
    { link: 'file:///home/anna/report.json', page: DISK },
    { link: 'javascript:alert(1)', page: BROKER },
    { link: 'data:text/plain,x', page: BROKER },
    { link: 'blob:https://broker.example:42007/x', page: 'https://elsewhere.example/' },
    { link: 'https://user:secret@other.example/', page: BROKER },
    { link: 'https://', page: BROKER },
    { link: '', page: DISK },
  ])('$link is refused from $page', ({ link, page }) => {
    expect(() => allowedLink(link, page)).toThrow(expect.objectContaining({ code: 'LINK_REFUSED' }));
  });

  it('is foreign unless it leads to the place the page is from', () => {
    expect(isForeign(allowedLink('/a', BROKER), BROKER)).toBe(false);
    expect(isForeign(allowedLink('https://broker.example/a', BROKER), BROKER)).toBe(true); // another port
    expect(isForeign(allowedLink('https://broker.example/a', DISK), DISK)).toBe(true);
  });
});
