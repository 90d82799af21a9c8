/**
 * Machines that hold a request open until somebody wants something of them: behind a home router, asking is all they can do.
 * Bounded; a machine waits at one door. What is waited for is in the database, a ring only says "look".
 */
export interface Doorbells {
  /** Takes the machine's place at its door; null when all places are taken. Whoever stood there is let go. */
  enter(machineId: string): Waiting | null;
  /** Lets the machine go, when it waits here. */
  ring(machineId: string): void;
  /** Lets all go, for good: later waits end at once. */
  close(): void;
}

export interface Waiting {
  /** Ends at a ring since `enter`, after `ms`, when `signal` aborts, or when another takes the place. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  leave(): void;
}

export function createDoorbells(limit: number): Doorbells {
  const doors = new Map<string, () => void>();
  let closed = false;
  return {
    enter(machineId) {
      const earlier = doors.get(machineId);
      if (earlier === undefined && doors.size >= limit) return null;
      earlier?.();
      let wake: () => void = () => undefined;
      const rung = new Promise<void>((resolve) => {
        wake = resolve;
      });
      doors.set(machineId, wake);
      if (closed) wake();
      return {
        wait: (ms, signal) => atMost(rung, ms, signal),
        leave: () => {
          if (doors.get(machineId) === wake) doors.delete(machineId);
        },
      };
    },
    ring: (machineId) => doors.get(machineId)?.(),
    close() {
      closed = true;
      for (const wake of doors.values()) wake();
    },
  };
}

async function atMost(rung: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  await Promise.race([rung, ended]);
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
}
