/** Every verb explains itself, with an example. */

import { describe, expect, it } from 'vitest';
import yargs from 'yargs';
import { attestVerbs } from './attest.ts';
import { commands } from './commands.ts';

const verbs = [
  ...[
    'attest',
    'bench',
    'broker',
    'broker serve',
    'broker account',
    'demo',
    'image',
    'image lock',
    'image build',
    'image size',
    'image write',
    'image run',
    'image mirror',
    'image update',
  ],
  ...attestVerbs.map(({ command }) => `attest ${String(command).split(' ')[0]}`),
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

describe('a verb that loads late', () => {
  it.each([...commands, ...attestVerbs])('$command says beforehand what it says itself', async (lazy) => {
    const { command, describe: sentence } = await lazy.load();
    expect([lazy.command, lazy.describe]).toEqual([command, sentence]);
  });
});
