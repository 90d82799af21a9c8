import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measuredForm } from './measured-form.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (form: Uint8Array) => new TextDecoder().decode(form);
const common = { broker: 'https://b:1', brokerPin: 'ab'.repeat(32) };

describe('measuredForm', () => {
  it.each([
    { name: 'without Wi-Fi', file: JSON.stringify(common, null, 2) },
    { name: 'that is not JSON', file: '{"wifi":' },
    { name: 'that is a list', file: '[{"wifi":1}]' },
  ])('leaves a file $name as it is', ({ file }) => {
    expect(text(measuredForm(bytes(file)))).toBe(file);
  });

  it('keeps all but the Wi-Fi part', () => {
    const file = JSON.stringify({ ...common, wifi: { networkName: 'home', key: 'secret words' } });
    expect(JSON.parse(text(measuredForm(bytes(file))))).toEqual({ ...common, wifi: 'withheld' });
  });

  it('says the same of two networks, and never their names or keys', () => {
    const letters = fc.string({ minLength: 9, maxLength: 32, unit: fc.constantFrom(...'XYZÜ"\\ ') });
    fc.assert(
      fc.property(letters, letters, (networkName, key) => {
        const form = measuredForm(bytes(`\uFEFF${JSON.stringify({ ...common, wifi: { networkName, key } })}`));
        expect(form).toEqual(measuredForm(bytes(JSON.stringify({ ...common, wifi: 'anything' }))));
      }),
    );
  });
});
