/** For work that nobody waits for. Safari has no `requestIdleCallback`: there it runs after what is waiting now. */
export function whenIdle(work: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(() => work());
  else setTimeout(work);
}
