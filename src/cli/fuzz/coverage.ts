/**
 * Which blocks of our sources ran since the last look, from V8's own counters. Started before the code under test is
 * loaded, since only code compiled afterwards is counted. A look takes tens of milliseconds, however little ran.
 */
import { type Profiler, Session } from 'node:inspector';

export interface Coverage {
  /** Blocks by file and offset. */
  take(): readonly string[];
  stop(): void;
}

export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  post(session, 'Profiler.enable');
  post(session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    take: () => {
      const { result } = post(session, 'Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
      return result.filter(({ url }) => isOurs(url)).flatMap(blocks);
    },
    stop: () => session.disconnect(),
  };
}

function isOurs(url: string): boolean {
  return (
    (url.startsWith('file:') || url.startsWith('/')) && !url.includes('/node_modules/') && !url.includes('/cli/fuzz')
  );
}

function blocks({ url, functions }: Profiler.ScriptCoverage): string[] {
  const file = url.slice(url.lastIndexOf('/') + 1);
  return functions.flatMap(({ ranges }) =>
    ranges.filter(({ count }) => count > 0).map(({ startOffset }) => `${file}:${startOffset}`),
  );
}

/** Inspector commands of the own process answer at once. */
function post(session: Session, method: string, parameters: object = {}): unknown {
  let answer: unknown;
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
}
