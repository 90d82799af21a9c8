/** The files of this checkout that `image` verbs read and write. */
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';

export const imagePaths = {
  spec: join(projectRoot, 'image/image.json'),
  lock: join(projectRoot, 'image/image.lock.json'),
} as const;
