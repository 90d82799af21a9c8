import { describe, expect, it } from 'vitest';
import { parseListenAddress, urlOf } from './listen-address.ts';

describe('--listen', () => {
  it.each([
    { text: '127.0.0.1:42007', host: '127.0.0.1', port: 42007, url: 'https://127.0.0.1:42007' },
    { text: '[::1]:0', host: '::1', port: 0, url: 'https://[::1]:0' },
    { text: 'localhost:65535', host: 'localhost', port: 65535, url: 'https://localhost:65535' },
  ])('takes $text', ({ text, host, port, url }) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
    expect(urlOf({ host, port })).toBe(url);
  });

  it.each([
    '',
    '42007',
    ':42007',
    '127.0.0.1',
    '127.0.0.1:65536',
    '::1:42007',
    '[127.0.0.1]:1',
    'https://a:1',
    'a:1 ',
    'a:-1',
  ])('refuses %j', (text) =>
    expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code: 'LISTEN_BAD' })),
  );
});
