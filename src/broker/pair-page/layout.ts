/** The frame of the pairing pages: one style, no script, nothing fetched from anywhere. */
import { createHash } from 'node:crypto';
import { html, type Markup } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #16181d; --paper: #fff; --soft: #5a6270; --line: #d5d9e0; --edge: #757c89; --act: #0b5fbd; --on-act: #fff; --bad: #b3261e; --good: #1b7a3d; --well: #f3f5f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef2; --paper: #14161a; --soft: #a4acb9; --line: #3a404b; --edge: #808896; --act: #8ab8ff; --on-act: #10141b; --bad: #ff8a80; --good: #7fdc9b; --well: #1e2127; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; color: var(--soft); font-size: .9375rem; }
header form { margin: 0; }
h1 { font-size: 1.625rem; line-height: 1.25; margin: 1rem 0 .5rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
.hint { color: var(--soft); margin: .25rem 0; }
input[type=text], input[type=password] { width: 100%; font: inherit; padding: .625rem .75rem; margin-top: .25rem; border: 2px solid var(--edge); border-radius: .5rem; background: var(--paper); color: var(--ink); }
input.code { font: 700 1.75rem/1.3 ui-monospace, monospace; letter-spacing: .12em; text-transform: uppercase; text-align: center; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
button { font: inherit; font-weight: 600; padding: .7rem 1.25rem; border-radius: .5rem; border: 2px solid var(--act); background: var(--act); color: var(--on-act); cursor: pointer; min-height: 3rem; }
button.other { background: transparent; color: var(--act); }
button.plain { background: none; border: 0; color: var(--act); padding: .25rem; min-height: 0; font-weight: 400; text-decoration: underline; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.buttons button { flex: 1 1 12rem; }
.problem { border-left: 4px solid var(--bad); background: var(--well); padding: .75rem 1rem; margin: 1rem 0; }
.done { border-left: 4px solid var(--good); background: var(--well); padding: .75rem 1rem; margin: 1rem 0; }
.shown { font: 700 2rem/1.2 ui-monospace, monospace; letter-spacing: .12em; text-align: center; background: var(--well); border-radius: .5rem; padding: .75rem; margin: 1rem 0; }
dl { margin: 1rem 0; border-top: 1px solid var(--line); }
dl div { display: grid; grid-template-columns: 8.5rem 1fr; gap: .75rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.print { font-family: ui-monospace, monospace; font-size: .9375rem; }
ul { list-style: none; padding: 0; margin: 0; border-top: 1px solid var(--line); }
li { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .625rem 0; border-bottom: 1px solid var(--line); }
@media (max-width: 26rem) { dl div { grid-template-columns: 1fr; gap: 0; } }
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

export const PAGE_HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  // The code may be in the address.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
};

export interface Frame {
  readonly title: string;
  readonly csrf: string;
  /** Signed in as. */
  readonly account: string | null;
}

export function page({ title, csrf, account }: Frame, content: Markup): string {
  const signOut =
    account === null
      ? null
      : html`<form method="post" action="/pair/sign-out"><input type="hidden" name="csrf" value="${csrf}"><span>${account}</span> <button class="plain">Sign out</button></form>`;
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – cpushare</title>
<style>${{ markup: STYLE }}</style>
</head>
<body><main>
<header><span>cpushare</span>${signOut}</header>
<h1>${title}</h1>
${content}
</main></body>
</html>
`;
  return whole.markup;
}

export function problemBox(problem: string | null): Markup | null {
  return problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`;
}
