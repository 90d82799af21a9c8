/** TPML_DIGEST, Part 2 §10.9.5: at most eight. */
import { list, u32 } from './codec.ts';
import { digest } from './public-area.ts';

export const digestList = list(u32, digest, 8);
