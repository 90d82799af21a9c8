import { describe, expect, it } from 'vitest';
import { chooseFirmware } from './firmware.ts';

const held = (paths: Record<string, string | null>) =>
  new Map(
    Object.entries(paths).map(([path, target]) => [
      `usr/lib/firmware/${path}`,
      target === null ? { source: path } : { target },
    ]),
  );
const chosen = (names: string[], paths: Record<string, string | null>, leaveOut: string[] = []) =>
  chooseFirmware(names, held(paths), leaveOut).map((path) => path.slice('usr/lib/firmware/'.length));

describe('chooseFirmware', () => {
  it('takes what is named and nothing beside it', () => {
    expect(chosen(['rtw88/a.bin'], { 'rtw88/a.bin': null, 'rtw88/b.bin': null })).toEqual(['rtw88/a.bin']);
  });

  it('understands stars, as brcmfmac and ath11k write them', () => {
    expect(chosen(['ath11k/W/hw2.0/*'], { 'ath11k/W/hw2.0/m3.bin': null, 'ath11k/W/hw2.1/m3.bin': null })).toEqual([
      'ath11k/W/hw2.0/m3.bin',
    ]);
  });

  it('takes a link together with what it leads to', () => {
    expect(chosen(['a/hw2.1/m.bin'], { 'a/hw2.1/m.bin': '../hw2.0/m.bin', 'a/hw2.0/m.bin': null })).toEqual([
      'a/hw2.0/m.bin',
      'a/hw2.1/m.bin',
    ]);
  });

  it.each([
    { name: 'the version named', held: [72, 77, 89, 92], takes: ['iwlwifi-so-a0-89.ucode'] },
    { name: 'the next older one', held: [72, 77, 92], takes: ['iwlwifi-so-a0-77.ucode'] },
    { name: 'none that is newer', held: [92, 100], takes: [] },
  ])('of iwlwifi: $name', ({ held, takes }) => {
    const paths = Object.fromEntries(held.map((version) => [`iwlwifi-so-a0-${version}.ucode`, null]));
    expect(chosen(['iwlwifi-so-a0-89.ucode'], { ...paths, 'iwlwifi-so-a0-gf-a0-80.ucode': null })).toEqual(takes);
  });

  it('leaves out what the declaration says, and passes over what no package has', () => {
    expect(chosen(['q/big.bin', 'none.bin'], { 'q/big.bin': null }, ['q/*'])).toEqual([]);
  });
});
