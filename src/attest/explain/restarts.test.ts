import { expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { newMachine } from '../testing/attester-node.ts';
import { restartsBetween } from './restarts.ts';

const about = { challenge: new Uint8Array(32), brokerId: new Uint8Array(32) };
const [machine, other] = [newMachine(), newMachine()];
const at = (clock: bigint, resetCount: number) => machine.attest({ ...about, clock: { clock, resetCount } });
const between = (...pair: readonly [ReturnType<typeof at>, ReturnType<typeof at>]) =>
  restartsBetween(...pair, nodeAttestCrypto);

it('tells restarts, none, and time that ran backwards', () => {
  expect(between(at(10n, 3), at(20n, 6))).toContain('reset 3 times');
  expect(between(at(10n, 3), at(20n, 3))).toContain('was not restarted');
  expect(between(at(20n, 6), at(10n, 3))).toContain('an old state of it was put back');
});

it('tells nothing of two machines, or of a quote or a key that cannot be read', () => {
  const now = at(20n, 6);
  expect(between(now, other.attest(about))).toBeNull();
  for (let length = 0; length < now.quote.length; length += 1) {
    expect(between(at(10n, 3), { ...now, quote: now.quote.subarray(0, length) })).toBeNull();
  }
  expect(between({ ...now, akPublic: new Uint8Array(5) }, now)).toBeNull();
});
