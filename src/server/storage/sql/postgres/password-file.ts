import pgpass from 'pgpass';

/**
 * Adds the password from the file that PGPASSFILE names, by default `~/.pgpass`, to a database URL without a password. The pg package reads
 * the file as well, but prints a deprecation warning and will stop doing so. PGPASSWORD takes precedence over the file.
 *
 * Format of the file: https://www.postgresql.org/docs/15/libpq-pgpass.html
 */
export async function withFilePassword(url: string): Promise<string> {
  const parsed = new URL(url);
  if (parsed.password !== '' || parsed.hostname === '') return url;
  const connection = {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(parsed.port || 5432),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    user: decodeURIComponent(parsed.username),
  };
  const password = await new Promise<string | undefined>((resolve) => pgpass(connection, resolve));
  if (password !== undefined) parsed.password = encodeURIComponent(password);
  return parsed.href;
}
