/** The version of this program. */
import { createRequire } from 'node:module';

export function ownVersion(): string {
  // The package file lies beside src/ in the checkout and two levels above the compiled file in dist/js.
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../../../../package.json']) {
    try {
      return (require(path) as { version: string }).version;
    } catch {}
  }
  return 'unknown';
}
