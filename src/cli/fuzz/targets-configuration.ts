/** What the owner of a machine may put before the sell client. */
import { parseConfiguration } from '../../sell-client/configuration/parse-configuration.ts';
import { configurationInSmbios, oemStrings } from '../../sell-client/configuration/smbios.ts';
import { BrokenRule, type Target } from './target.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const configuration = bytes(JSON.stringify({ broker: 'https://10.0.2.2:42007', brokerPin: 'ab'.repeat(32) }));
const encoded = Buffer.from(configuration).toString('base64url');

/** DSP0134 §6.1: a system structure without strings, the OEM strings, the end. */
const table = (strings: string): Uint8Array =>
  bytes(
    `\u0001\u0004\u0001\u0000\u0000\u0000\u000b\u0005\u0002\u0000\u0002${strings}\u0000\u0000\u007f\u0004\u0003\u0000\u0000\u0000`,
  );

export function configurationTargets(): readonly Target[] {
  return [
    {
      name: 'smbios',
      shape: 'bytes',
      seeds: [table(`vendor\u0000cpushare:${encoded}`), table('cpushare:{"broker":"https://b:1"}')],
      maxBytes: 65_536,
      baseMs: 20,
      run: readSmbios,
    },
    {
      name: 'configuration',
      shape: 'json',
      seeds: [configuration],
      maxBytes: 65_536,
      baseMs: 20,
      run: readConfiguration,
    },
  ];
}

function readSmbios(input: Uint8Array): void {
  if (oemStrings(input).some((one) => one.length === 0 || one.includes(0))) throw new BrokenRule('a string with a NUL');
  const found = configurationInSmbios(input);
  if (found !== null) readConfiguration(found);
}

function readConfiguration(input: Uint8Array): void {
  const { broker, brokerPin, ...more } = parseConfiguration(input);
  if (!/^https:\/\//.test(broker) || !/^[0-9a-f]{64}$/.test(brokerPin)) throw new BrokenRule('a value out of its form');
  if (Object.keys(more).length > 0) throw new BrokenRule('a key that the schema does not name');
}
