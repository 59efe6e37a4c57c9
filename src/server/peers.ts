import { OtaError } from '../errors.ts';

/** What only the server needs: installed by whoever runs one. */
const peers = ['hono', '@hono/node-server', 'kysely', 'libsql', 'prom-client', 'pino'] as const;

/**
 * Before anything of the server is loaded.
 *
 * @throws OtaError PEER_MISSING, with all that are
 */
export function requirePeers(isInstalled: (name: string) => boolean = isResolvable): void {
  const packages = peers.filter((name) => !isInstalled(name));
  if (packages.length > 0) throw new OtaError('PEER_MISSING', { packages });
}

/**
 * Before a certificate is made.
 *
 * @throws OtaError PEER_MISSING
 */
export function requireForge(isInstalled: (name: string) => boolean = isResolvable): void {
  if (!isInstalled('node-forge')) throw new OtaError('PEER_MISSING', { packages: ['node-forge'] });
}

function isResolvable(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
