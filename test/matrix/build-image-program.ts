/** One build as a program that can be killed. Arguments: the output folder. Prints each line of its progress. */
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { buildImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';

const [outputFolder = ''] = process.argv.slice(2);
await buildImage({
  projectRoot,
  outputFolder,
  cacheFolder: cacheFolder(),
  mirrors: () => chooseMirrors({}),
  progress: (line) => console.log(line),
});
