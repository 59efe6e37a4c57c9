import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { mostBlobBytes } from '../../../api/release.ts';
import { DomainError } from '../../services/domain-error.ts';
import { type PageEnv, requireRoleFor } from './page-login.ts';

/** Maximum size of a form with files. A build for 4 MB of flash has about 5 MB; larger builds need `ota-hooks publish`. */
const mostBytes = 2 * mostBlobBytes;
/** Maximum number of forms with files that the server receives at the same time, because each is in memory. */
const mostAtOnce = 2;

/** Limits the size and the number of forms with files. Requires the role for publishing before the form is read. */
export function receiveFiles() {
  let receiving = 0;
  const takeTurn: MiddlewareHandler<PageEnv> = async (context, next) => {
    requireRoleFor(context, 'draft');
    if (receiving >= mostAtOnce) {
      throw new DomainError(
        'too-many-requests',
        'the server is receiving the files of other releases',
        'Try again in a minute, or use `ota-hooks publish`.',
      );
    }
    receiving++;
    try {
      await next();
    } finally {
      receiving--;
    }
  };
  const limit = bodyLimit({ maxSize: mostBytes, onError: tooLarge });
  return [takeTurn, refuseAnnounced(mostBytes, tooLarge), withStandardRequest, limit] as const;
}

function tooLarge(): never {
  const message = `the files are larger than ${Math.floor(mostBytes / 1024 / 1024)} MiB`;
  throw new DomainError('too-large', message, 'Use `ota-hooks publish`, which sends each file on its own.');
}

/**
 * Rejects an oversized form by its Content-Length. `bodyLimit` starts reading before it checks the size, so a client that waits for `100
 * Continue` would send the body.
 */
export function refuseAnnounced(sizeBytes: number, refuse?: () => never): MiddlewareHandler<PageEnv> {
  return async (context, next) => {
    if (Number(context.req.header('content-length') ?? 0) <= sizeBytes) return next();
    return refuse?.() ?? context.text('Payload Too Large', 413);
  };
}

/**
 * Replaces the request object of a form that has no Content-Length. `bodyLimit` copies such a request to limit its body, and copying the
 * object that `@hono/node-server` creates would fail.
 */
export const withStandardRequest: MiddlewareHandler<PageEnv> = async (context, next) => {
  const { req } = context;
  if (req.header('content-length') === undefined && req.raw.body !== null) {
    const { method, headers, body } = req.raw;
    req.raw = new Request(req.url, { method, headers, body, duplex: 'half' });
  }
  return next();
};
