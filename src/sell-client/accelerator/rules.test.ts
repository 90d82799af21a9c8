import { describe, expect, it } from 'vitest';
import { bootDisk, EXIT_CODE, expectedOutput } from './boot-sector.ts';
import { chooseAccelerator, judgeRun, parseAccelerators } from './rules.ts';

const secret = Uint8Array.of(1, 2, 3);
const good = { output: expectedOutput(secret), exitCode: EXIT_CODE, timedOut: false, stderr: '' };

describe('judgeRun', () => {
  it('counts a guest that answered the secret and ended itself', () => {
    expect(judgeRun('kvm', good, expectedOutput(secret)).ran).toBe(true);
  });

  it.each([
    { name: 'the secret not inverted', run: { ...good, output: secret }, says: 'QEMU ended with code 99' },
    { name: 'another exit code', run: { ...good, exitCode: 0 }, says: 'QEMU ended with code 0' },
    { name: 'a guest that hangs', run: { ...good, exitCode: undefined, timedOut: true }, says: 'no end in time' },
    {
      name: 'no device',
      run: { ...good, exitCode: 1, stderr: 'qemu-system-x86_64: Could not access KVM kernel module\nmore' },
      says: 'Could not access KVM kernel module',
    },
    {
      name: 'a crash inside',
      run: { ...good, exitCode: 1, stderr: 'KVM internal error. Suberror: 1' },
      says: 'KVM internal error',
    },
  ])('does not count $name', ({ run, says }) => {
    const attempt = judgeRun('kvm', run, expectedOutput(secret));
    expect(attempt.ran).toBe(false);
    expect(attempt.reason).toContain(says);
  });
});

describe('chooseAccelerator', () => {
  const tried = [
    { name: 'kvm', ran: false, reason: 'did not run the test guest: no end in time' },
    { name: 'kqemu', ran: false, reason: 'is not offered by this QEMU' },
    { name: 'tcg', ran: true, reason: 'ran a test guest' },
  ] as const;

  it('takes the first that ran and keeps why others were passed over', () => {
    expect(chooseAccelerator(tried)).toMatchObject({
      name: 'tcg',
      reason: 'ran a test guest; kvm did not run the test guest: no end in time; kqemu is not offered by this QEMU',
    });
  });

  it('is unknown when none ran', () => expect(chooseAccelerator(tried.slice(0, 2)).name).toBe('unknown'));
});

describe('the tiny guest', () => {
  it('is a boot sector: signature at its end, secret inside, bounded', () => {
    const disk = bootDisk(secret);
    expect([...disk.subarray(510, 512)]).toEqual([0x55, 0xaa]);
    expect(Buffer.from(disk).includes(Buffer.from(secret))).toBe(true);
    expect(() => bootDisk(new Uint8Array(65))).toThrow(RangeError);
  });
});

it('reads the list that QEMU prints', () => {
  expect(parseAccelerators('Accelerators supported in QEMU binary:\ntcg\nkvm\n')).toEqual(['tcg', 'kvm']);
});
