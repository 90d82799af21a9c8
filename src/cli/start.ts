/** Where `cpushare` begins: `attest log` at once, everything else by way of the command line's parser. */
const [verb, noun, ...rest] = process.argv.slice(2);
const started = verb === 'attest' && noun === 'log' && (await import('./attest/quick-log.ts')).runQuickLog(rest);
if (!started) await import('./main.ts');

export {};
