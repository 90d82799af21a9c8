import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RpciHost, rpciHost } from '../testing/rpci-host.ts';
import { valueIn } from './guestinfo.ts';
import { askRpci, type Registers } from './rpci.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const json = '{"broker":"https://b:42007"}';
const encoded = Buffer.from(json).toString('base64url');

function converse(conversation: ReturnType<typeof askRpci>, answer: (call: Registers) => Registers): Uint8Array {
  let step = conversation.next();
  while (step.done !== true) step = conversation.next(answer(step.value));
  return step.value;
}

const ask = (host: RpciHost, request = 'info-get guestinfo.cpushare', max = 1000) =>
  Buffer.from(converse(askRpci(bytes(request), max), host.answer)).toString('latin1');

describe('a request over RPCI', () => {
  it.each(['', '1', '12', '123', '1234', '12345', `1 ${encoded}`])(
    'brings back %j, and closes the channel',
    (reply) => {
      const host = rpciHost(() => bytes(reply));
      expect(ask(host)).toBe(reply);
      expect(host.requests).toEqual(['info-get guestinfo.cpushare']);
      expect(host.open).toBe(false);
    },
  );

  it.each(['abc', 'abcd', 'abcde'])('arrives whole: %s', (request) => {
    const host = rpciHost(() => bytes('1 '));
    ask(host, request);
    expect(host.requests).toEqual([request]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('is a coded failure when message %i is refused', (type) => {
    const host = rpciHost(() => bytes('1 x'), type);
    expect(() => ask(host)).toThrow(expect.objectContaining({ code: 'GUESTINFO_FAILED' }));
  });

  it('takes no reply beyond its limit, however long it is said to be', () => {
    expect(() => ask(rpciHost(() => new Uint8Array(1001)))).toThrow(/1001 bytes, more than 1000/);
  });

  it('ends in bytes or a coded failure, whatever is answered', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const registers = fc.record({
      ebx: fc.oneof(fc.integer({ min: 0, max: 40 }), word),
      ecx: fc.oneof(fc.constantFrom(0x10000, 0x30000), word),
      edx: word,
      esi: word,
      edi: word,
    });
    fc.assert(
      fc.property(fc.array(registers, { minLength: 60, maxLength: 60 }), (answers) => {
        let next = 0;
        const answer = (call: Registers) => answers[next++] ?? { ...call, ecx: 0 };
        try {
          expect(converse(askRpci(bytes('info-get x'), 64), answer).length).toBeLessThanOrEqual(64);
        } catch (error) {
          expect(error).toMatchObject({ code: 'GUESTINFO_FAILED' });
        }
      }),
    );
  });
});

describe('the value in a reply', () => {
  it.each([
    { reply: `1 ${encoded}`, value: json },
    { reply: `1 ${json}`, value: json },
    { reply: `1 ${encoded}\0`, value: json },
    { reply: '0 No value found', value: null },
    { reply: '', value: null },
  ])('$reply', ({ reply, value }) => {
    const found = valueIn(bytes(reply));
    expect(found === null ? null : Buffer.from(found).toString()).toBe(value);
  });

  it('is refused when it is neither JSON nor base64url', () => {
    expect(() => valueIn(bytes('1 hello world'))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ENCODING', message: expect.stringContaining('guestinfo') }),
    );
  });
});
