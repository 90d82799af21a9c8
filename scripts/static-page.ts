/**
 * One static HTML page that works from disk: style and script lie inside and are named by hash in the page's own
 * Content-Security-Policy, so nothing else runs in it and nothing is loaded. Light and dark as the reader's system is.
 */
import { createHash } from 'node:crypto';

export interface StaticPage {
  readonly title: string;
  /** Safe HTML: `escapeHtml` what is not ours. */
  readonly body: string;
  /** Added to the common style. */
  readonly style: string;
  /** The page must be of use without it. */
  readonly script: string;
}

const COMMON_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--wash:#f6f8fa;--accent:#0550ae}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9da7b1;--line:#30363d;--wash:#161b22;--accent:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:2rem 1rem 4rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}
p{max-width:46rem}.soft{color:var(--soft)}
code,.mono{font-family:ui-monospace,monospace;font-size:.9em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
`;

export function staticPage({ title, body, style, script }: StaticPage): string {
  const css = `${COMMON_STYLE.trim()}\n${style.trim()}`;
  const policy = [
    "default-src 'none'",
    `style-src '${sha256(css)}'`,
    ...(script === '' ? [] : [`script-src '${sha256(script)}'`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
${body}
${script === '' ? '' : `<script>${script}</script>\n`}</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}

const sha256 = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
