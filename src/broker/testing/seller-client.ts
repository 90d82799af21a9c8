/** A seller's browser without its screen: keeps the cookie, fills in forms, follows redirects. */
import { request } from 'node:https';

export interface Shown {
  readonly status: number;
  readonly html: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

export interface Seller {
  /** As a link or a scanned code. */
  open(path: string): Promise<Shown>;
  /** Sends a form of the page that is shown, with its hidden token, or with another one. */
  submit(path: string, fields: Record<string, string>, csrf?: string): Promise<Shown>;
  signIn(name: string, secret: string): Promise<Shown>;
  readonly cookie: string;
}

export function newSeller(baseUrl: string): Seller {
  let cookie = '';
  let csrf = '';
  const exchange = async (method: string, path: string, form?: string): Promise<Shown> => {
    const shown = await send(new URL(path, baseUrl), method, cookie, form);
    const [set] = shown.headers['set-cookie'] ?? [];
    if (set !== undefined) cookie = set.split(';')[0] ?? '';
    const { location } = shown.headers;
    if (shown.status === 303 && typeof location === 'string') return exchange('GET', location);
    csrf = /name="csrf" value="([0-9a-f]{64})"/.exec(shown.html)?.[1] ?? csrf;
    return shown;
  };
  const submit = (path: string, fields: Record<string, string>, token = csrf) =>
    exchange('POST', path, new URLSearchParams({ ...fields, csrf: token }).toString());
  return {
    open: (path) => exchange('GET', path),
    submit,
    signIn: async (name, secret) => {
      await exchange('GET', '/pair');
      return submit('/pair/sign-in', { name, secret });
    },
    get cookie() {
      return cookie;
    },
  };
}

function send(url: URL, method: string, cookie: string, form: string | undefined): Promise<Shown> {
  const headers = {
    ...(cookie === '' ? {} : { cookie }),
    ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false, rejectUnauthorized: false });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          html: Buffer.concat(chunks).toString('utf8'),
          headers: incoming.headers,
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(form);
  });
}
