/** Every verb explains itself, with an example. */

import { describe, expect, it } from 'vitest';
import yargs, { type CommandModule } from 'yargs';
import { attestCommand } from './attest.ts';
import { benchCommand } from './bench.ts';
import { brokerCommand } from './broker.ts';
import { demoCommand } from './demo.ts';
import { imageCommand } from './image.ts';

const commands = [attestCommand, benchCommand, brokerCommand, demoCommand, imageCommand] as CommandModule[];
const verbs = [
  ...['attest', 'attest verify', 'attest log', 'bench', 'broker', 'broker serve', 'demo'],
  ...['image', 'image lock', 'image build', 'image size'],
];

async function helpOf(verb: string): Promise<string> {
  let shown = '';
  const parser = yargs().scriptName('cpushare').exitProcess(false).command(commands);
  await parser.parseAsync([...verb.split(' '), '--help'], (_error: unknown, _given: unknown, output: string) => {
    shown = output;
  });
  return shown;
}

describe('help', () => {
  it.each(verbs)('%s', async (verb) => {
    const help = await helpOf(verb);
    expect(help).toContain(`cpushare ${verb}`);
    expect(help).toMatch(/^Examples:\n +cpushare |^Examples:\n +npm /m);
  });
});
