import { describe, expect, it } from 'vitest';
import { wifiProfile } from './wifi-profile.ts';

describe('wifiProfile', () => {
  it.each([
    { name: 'FRITZ-Box_7 plus', file: 'FRITZ-Box_7 plus.psk' },
    { name: 'Café', file: '=436166c3a9.psk' },
    { name: '../../etc/passwd', file: '=2e2e2f2e2e2f6574632f706173737764.psk' },
    { name: '=41', file: '=3d3431.psk' },
    { name: 'a.b', file: '=612e62.psk' },
  ])('calls $name $file', ({ name, file }) => {
    expect(wifiProfile({ networkName: name, key: 'correct horse' }).fileName).toBe(file);
  });

  it.each([
    { name: 'a passphrase', key: 'correct horse', line: 'Passphrase=correct horse' },
    { name: 'spaces at the ends', key: '  two words ', line: 'Passphrase=\\s\\stwo words\\s' },
    { name: 'a backslash', key: 'back\\slash', line: 'Passphrase=back\\\\slash' },
    { name: 'a number sign and an equals sign', key: '#[a]=b;c', line: 'Passphrase=#[a]=b;c' },
    { name: 'a computed key', key: 'AB'.repeat(32), line: `PreSharedKey=${'ab'.repeat(32)}` },
  ])('writes $name', ({ key, line }) => {
    expect(wifiProfile({ networkName: 'n', key }).content).toBe(`[Security]\n${line}\n`);
  });

  it('marks a network that does not tell its name', () => {
    const settings = { networkName: 'n', key: 'correct horse', hidden: true };
    expect(wifiProfile(settings).content).toContain('[Settings]\nHidden=true\n');
  });
});
