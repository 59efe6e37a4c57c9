import { OtaError } from '../../../../errors/ota-error.ts';

/**
 * Returns a database URL without its password and its parameters, for messages.
 *
 * @throws OtaError DATABASE_URL_INVALID. Neither the error nor its cause contains the URL.
 */
export function requireDatabaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new OtaError('DATABASE_URL_INVALID', { reason: 'it is not a URL' });
  const { protocol, username, host, pathname, searchParams } = url;
  if (pathname.length <= 1) throw new OtaError('DATABASE_URL_INVALID', { reason: 'it names no database' });
  if (host === '' && !searchParams.has('host')) {
    throw new OtaError('DATABASE_URL_INVALID', { reason: 'it names no host' });
  }
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}
