/** The one place where the agent's state lives; whoever shows it or waits for it subscribes. */
import { type AgentEvent, type AgentState, initialState, next } from './state.ts';

export interface Store {
  state(): AgentState;
  dispatch(event: AgentEvent): void;
  subscribe(listener: (state: AgentState) => void): () => void;
  /** Resolves when the condition holds or `signal` aborts. */
  until(condition: (state: AgentState) => boolean, signal: AbortSignal): Promise<void>;
}

export function createStore(): Store {
  let current = initialState;
  const listeners = new Set<(state: AgentState) => void>();
  const subscribe = (listener: (state: AgentState) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    state: () => current,
    dispatch: (event) => {
      current = next(current, event);
      for (const listener of [...listeners]) listener(current);
    },
    subscribe,
    until: (condition, signal) =>
      new Promise((resolve) => {
        const done = () => {
          stop();
          signal.removeEventListener('abort', done);
          resolve();
        };
        const stop = subscribe((state) => {
          if (condition(state)) done();
        });
        signal.addEventListener('abort', done, { once: true });
        if (condition(current) || signal.aborted) done();
      }),
  };
}
