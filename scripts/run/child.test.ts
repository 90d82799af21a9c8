import { describe, expect, it } from 'vitest';
import { runProgram, startChild } from './child.ts';
import { waitFor } from './wait.ts';

const options = { debianPackage: 'some-package' };

describe('startChild', () => {
  it('names the package of a program that is not there', async () => {
    await expect(startChild('no-such-program-here', [], options)).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      nextStep: 'sudo apt install some-package',
    });
  });

  it('hands over each line, then the exit', async () => {
    const lines: string[] = [];
    const child = await startChild('bash', ['-c', 'printf "one\\ntwo\\nthree"; echo why >&2; exit 3'], {
      ...options,
      onLine: (line) => lines.push(line),
    });
    expect(await child.exited).toEqual({ exitCode: 3, signal: null, stderr: 'why' });
    expect(lines).toEqual(['one', 'two', 'three']);
    expect(child.isRunning()).toBe(false);
  });

  it('ends a process that ignores SIGTERM', async () => {
    let ready = false;
    const child = await startChild('bash', ['-c', 'trap "" TERM; echo ready; while :; do read -t 1 <> <(:); done'], {
      ...options,
      onLine: () => {
        ready = true;
      },
    });
    await waitFor(() => ready || undefined, { what: 'the trap', timeoutMs: 10_000, whileRunning: child });
    await child.stop(50);
    expect((await child.exited).signal).toBe('SIGKILL');
  });
});

describe('runProgram', () => {
  it('fails with what the program said', async () => {
    await expect(runProgram('bash', ['-c', 'echo broken >&2; exit 4'], options)).rejects.toMatchObject({
      code: 'PROGRAM_FAILED',
      message: 'bash ended with 4: broken',
    });
  });
});

describe('waitFor', () => {
  it('ends with the words of a process that ended before the condition came true', async () => {
    const child = await startChild('bash', ['-c', 'echo no luck >&2; exit 1'], options);
    const waiting = waitFor(() => undefined, { what: 'good news', timeoutMs: 10_000, whileRunning: child });
    await expect(waiting).rejects.toMatchObject({
      code: 'WAIT_PROCESS_ENDED',
      message: 'good news: the process ended (1) no luck',
    });
  });

  it('gives up after its time', async () => {
    await expect(waitFor(() => undefined, { what: 'nothing', timeoutMs: 30, pollMs: 5 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    });
  });
});
