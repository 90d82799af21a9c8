import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCleanup } from './cleanup.ts';

afterEach(() => vi.restoreAllMocks());

/** What a signal would call that came now. */
const onInterrupt = () => process.listeners('SIGINT').at(-1) as (signal: NodeJS.Signals) => void;
const gate = () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

describe('cleaning up', () => {
  it('closes what was started last first, each once, also where one fails; then it leaves the signals alone', async () => {
    const before = process.listenerCount('SIGINT');
    const cleanup = createCleanup();
    const closed: string[] = [];
    for (const name of ['broker', 'machine']) cleanup.add(async () => void closed.push(name));
    cleanup.add(() => Promise.reject(new Error('gone already')));
    await cleanup.run();
    await cleanup.run();
    expect(closed).toEqual(['machine', 'broker']);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('when interrupted, ends after the last was closed, also one whose closing had begun', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    const cleanup = createCleanup();
    const { open, opened } = gate();
    cleanup.add(() => opened);
    const interrupt = onInterrupt();
    const running = cleanup.run();
    interrupt('SIGINT');
    await new Promise(setImmediate);
    expect(exit).not.toHaveBeenCalled();
    open();
    await running;
    await vi.waitUntil(() => exit.mock.calls.length > 0);
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('when interrupted again, waits no longer', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    const cleanup = createCleanup();
    cleanup.add(() => new Promise(() => undefined));
    const interrupt = onInterrupt();
    interrupt('SIGINT');
    expect(exit).not.toHaveBeenCalled();
    interrupt('SIGTERM');
    expect(exit).toHaveBeenCalledExactlyOnceWith(143);
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  });

  it('waits for Ctrl-C where that is what ends it, and then leaves the closing to who waited', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    const cleanup = createCleanup();
    const waiting = cleanup.untilInterrupted();
    const interrupt = onInterrupt();
    interrupt('SIGINT');
    await waiting;
    expect(exit).not.toHaveBeenCalled();
    expect(process.listeners('SIGINT')).toContain(interrupt); // or execa would end the process under it
    await cleanup.run();
    expect(process.listeners('SIGINT')).not.toContain(interrupt);
  });

  it('does not end what another has still to close', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    await createCleanup().run();
    const { open, opened } = gate();
    const second = createCleanup();
    second.add(() => opened);
    for (const listener of process.listeners('SIGINT').slice(-1))
      (listener as (signal: NodeJS.Signals) => void)('SIGINT');
    await new Promise(setImmediate);
    expect(exit).not.toHaveBeenCalled();
    open();
    await vi.waitUntil(() => exit.mock.calls.length > 0);
    await second.run();
  });
});
