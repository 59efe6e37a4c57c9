import { networkInterfaces } from 'node:os';

/** Network interfaces of this machine, as `networkInterfaces` of node:os returns them. */
export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Addresses for URLs at which a server answers that listens on all addresses. IPv6 addresses are in brackets. */
interface OwnHosts {
  /** Address for programs on this machine. */
  readonly local: string;
  /** Addresses for other machines. */
  readonly others: readonly string[];
}

/**
 * Returns the hosts at which a server answers that listens on `0.0.0.0` or, for both families, on `::`. Link-local IPv6 addresses are
 * omitted, because they are valid only with a zone, which differs between machines.
 */
export function ownHosts(listens: '0.0.0.0' | '::', interfaces: Interfaces = networkInterfaces()): OwnHosts {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(
    ({ family, address }) => family === 'IPv4' || (listens === '::' && !/^fe[89ab]/i.test(address)),
  );
  const hostOf = ({ family, address }: { family: string; address: string }) =>
    family === 'IPv6' ? `[${address}]` : address;
  const others = usable.filter(({ internal }) => !internal).map(hostOf);
  const local = usable.filter(({ internal }) => internal).map(hostOf);
  const first = local.find((host) => !host.startsWith('[')) ?? local[0] ?? others[0];
  return { local: first ?? (listens === '::' ? '[::1]' : '127.0.0.1'), others };
}
