import { expect, it } from 'vitest';
import { createAlarm } from './alarm.ts';

const never = new AbortController().signal;
const FOR_EVER = 2 ** 40;

it('is woken by a ring', async () => {
  const alarm = createAlarm();
  const waiting = alarm.wait(FOR_EVER, never);
  alarm.ring();
  await waiting;
});

it('keeps a ring that came while nobody waited, once', async () => {
  const alarm = createAlarm();
  alarm.ring();
  await alarm.wait(FOR_EVER, never);
  let woken = false;
  const second = alarm.wait(FOR_EVER, never).then(() => {
    woken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(woken).toBe(false);
  alarm.ring();
  await second;
});

it('forgets a ring when told to', async () => {
  const alarm = createAlarm();
  alarm.ring();
  alarm.clear();
  let woken = false;
  const waiting = alarm.wait(FOR_EVER, never).then(() => {
    woken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(woken).toBe(false);
  alarm.ring();
  await waiting;
});

it('ends with the program and with time', async () => {
  const ending = new AbortController();
  const waiting = createAlarm().wait(FOR_EVER, ending.signal);
  ending.abort();
  await waiting;
  await createAlarm().wait(1, never);
});
