import { describe, expect, it } from 'vitest';
import { createDoorbells } from './doorbells.ts';

const FOREVER_MS = 2 ** 31 - 1;
const never = new AbortController().signal;

describe('the doorbells', () => {
  it('wake the machine that waits, also when it rang between entering and waiting, and no other', async () => {
    const bells = createDoorbells(10);
    const [a, b] = [bells.enter('a'), bells.enter('b')];
    bells.ring('a');
    await a?.wait(FOREVER_MS, never);
    let bWoke = false;
    const waiting = b?.wait(FOREVER_MS, never).then(() => {
      bWoke = true;
    });
    bells.ring('a');
    bells.ring('nobody');
    await new Promise((resolve) => setImmediate(resolve));
    expect(bWoke).toBe(false);
    bells.ring('b');
    await waiting;
  });

  it('let go of who hangs up, who is out of time, and who is replaced', async () => {
    const bells = createDoorbells(10);
    const hangsUp = new AbortController();
    const first = bells.enter('a')?.wait(FOREVER_MS, hangsUp.signal);
    hangsUp.abort();
    await first;
    await bells.enter('a')?.wait(FOREVER_MS, hangsUp.signal);
    await bells.enter('a')?.wait(0, never);
    const replaced = bells.enter('a')?.wait(FOREVER_MS, never);
    const later = bells.enter('a');
    await replaced;
    bells.ring('a');
    await later?.wait(FOREVER_MS, never);
  });

  it('hold a bounded number; who leaves makes room, but only of its own place', () => {
    const bells = createDoorbells(2);
    const earlier = bells.enter('a');
    const later = bells.enter('a');
    expect(bells.enter('b')).not.toBeNull();
    expect(bells.enter('c')).toBeNull();
    earlier?.leave();
    expect(bells.enter('c')).toBeNull();
    later?.leave();
    expect(bells.enter('c')).not.toBeNull();
  });

  it('let everybody go at the end, and whoever comes after it', async () => {
    const bells = createDoorbells(2);
    const waiting = bells.enter('a')?.wait(FOREVER_MS, never);
    bells.close();
    await waiting;
    await bells.enter('b')?.wait(FOREVER_MS, never);
  });
});
