/** The verifier's page: one static file in which a browser judges reports by itself. The broker only hands it out. */
import { createHash } from 'node:crypto';
import { constants, gzipSync } from 'node:zlib';
import type { FastifyPluginCallback } from 'fastify';

/** `page` is the whole HTML file, with its own Content-Security-Policy as a meta element. */
export const pageRoutes: FastifyPluginCallback<{ page: string }> = (app, { page }, done) => {
  const body = Buffer.from(page);
  const packed = gzipSync(body, { level: constants.Z_BEST_COMPRESSION });
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const headers = {
    'content-security-policy': servedPolicy(page),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    // Kept, but asked for each time: a verifier must not stay behind its broker.
    'cache-control': 'no-cache',
    etag: tag,
    vary: 'accept-encoding',
  };

  app.get('/verify', { schema: { hide: true } }, async (_, reply) => reply.redirect('/verify/', 308));
  app.get('/verify/', { schema: { hide: true } }, async (request, reply) => {
    reply.headers(headers);
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    reply.type('text/html; charset=utf-8');
    if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(body);
    return reply.header('content-encoding', 'gzip').send(packed);
  });
  done();
};

/** The page's own policy; a header can say besides that no other page may frame it. */
function servedPolicy(page: string): string {
  const own = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(page)?.[1] ?? "default-src 'none'";
  return `${own}; frame-ancestors 'none'`;
}

/** RFC 9110 §12.5.3, as far as browsers write it; anything else gets the plain bytes. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const codings = String(header ?? '').split(',');
  return codings.some((coding) => /^\s*gzip\s*(;\s*q=(?:0\.\d*[1-9]\d*|1(?:\.0*)?)\s*)?$/i.test(coding));
}
