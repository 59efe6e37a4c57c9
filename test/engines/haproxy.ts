import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { requireProgram } from './missing.ts';
import { Program } from './program.ts';

/** HAProxy on a free port of the loopback interface. */
export interface LoadBalancer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  end(): Promise<void>;
}

/** Starts HAProxy in front of servers on these ports. It sends requests to the servers whose /readyz returns 200. */
export async function startHaproxy(serverPorts: readonly number[]): Promise<LoadBalancer> {
  const program = requireProgram('/usr/sbin/haproxy', 'HAProxy', 'apt-get install haproxy');
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-haproxy-'));
  const port = await freePort();
  const path = join(folder, 'haproxy.cfg');
  await writeFile(path, configuration(port, serverPorts));
  const running = new Program(program, ['-db', '-f', path], { stopSignal: 'SIGUSR1' });
  await running.untilListening(port);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: running.pid,
    async end() {
      await running.stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(port: number, serverPorts: readonly number[]): string {
  const servers = serverPorts.map((each, index) => `  server s${index + 1} 127.0.0.1:${each}`);
  return `global
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout check 3s
  # As in templates/server/haproxy.cfg: a request of a device may be repeated on the other server.
  retries 2
  option redispatch 1
  retry-on conn-failure empty-response 503
frontend devices
  bind 127.0.0.1:${port}
  default_backend servers
  # Other requests are only repeated if no server has received them.
  http-request disable-l7-retry unless { path_beg /update/ }
  # Responses of HAProxy itself have no such header.
  http-response set-header x-served-by %s
  http-error status 502 content-type text/plain string "No server" hdr Retry-After 30
  http-error status 503 content-type text/plain string "No server" hdr Retry-After 30
  http-error status 504 content-type text/plain string "No server" hdr Retry-After 30
backend servers
  balance roundrobin
  option forwardfor
  option httpchk GET /readyz
  default-server check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down
${servers.join('\n')}
`;
}
