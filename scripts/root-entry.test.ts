import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../src/sell-client/configuration/parse-configuration.ts';
import { LIVE_PLACES } from '../src/sell-client/places.ts';
import { factEntries } from './root-entry.ts';

const spec = { name: 'an-image', version: '1.2.3', suite: 'trixie', accounts: [] };
const path = LIVE_PLACES.imageConfiguration.slice(1);

describe('the broker that an image names', () => {
  it('is a configuration that the sell client reads, where it looks for it', () => {
    const defaultBroker = { broker: 'https://broker.example:42007', brokerPin: 'ab'.repeat(32) };
    const entry = factEntries({ ...spec, defaultBroker }).find((one) => one.path === path);
    const content = entry?.kind === 'file' && !('file' in entry.content) ? entry.content : new Uint8Array();
    expect(parseConfiguration(content)).toEqual(defaultBroker);
  });

  it('is nowhere in an image that names none', () => {
    expect(factEntries(spec).some((one) => one.path === path)).toBe(false);
  });
});
