/**
 * One build as a program that is killed: by itself, as that is exact, with the signal that nobody can catch. Arguments: the
 * output folder, and the moments to choose from (JSON). Tells each line of its progress with the time, and at which moment it ended.
 */
import { writeSync } from 'node:fs';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { buildImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';

export interface Moment {
  /** Of the progress. */
  readonly line: string;
  /** After it was told. */
  readonly afterMs: number;
}

export type Told = { readonly line: string; readonly atMs: number } | { readonly killedAt: Moment };

const [outputFolder = '', moments = '[]'] = process.argv.slice(2);
const chosen = JSON.parse(moments) as readonly Moment[];
/** At once, whatever comes next. */
const tell = (told: Told) => writeSync(1, `${JSON.stringify(told)}\n`);

function progress(line: string): void {
  tell({ line, atMs: performance.now() });
  for (const moment of chosen.filter((one) => one.line === line)) {
    const kill = () => {
      tell({ killedAt: moment });
      process.kill(process.pid, 'SIGKILL');
    };
    if (moment.afterMs === 0) kill();
    else setTimeout(kill, moment.afterMs).unref();
  }
}

await buildImage({ projectRoot, outputFolder, cacheFolder: cacheFolder(), mirrors: () => chooseMirrors({}), progress });
