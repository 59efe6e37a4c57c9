import { connect } from 'node:net';

/** Requests in flight on each connection. */
const pipelined = 50;

/**
 * Sends many requests of devices over one connection.
 *
 * @param requestOf returns the request with an index, as a device sends it
 * @returns the number of responses by status
 */
export function flood(
  port: number,
  count: number,
  requestOf: (index: number) => string,
): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let [sent, responded, left] = [0, 0, ''];
    const responses: Record<string, number> = {};
    const more = () => {
      let requests = '';
      for (; sent < count && sent - responded < pipelined; sent++) requests += keptAlive(requestOf(sent));
      if (requests !== '') socket.write(requests);
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      const received = left + text;
      const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)];
      responded += statuses.length;
      for (const [, status = ''] of statuses) responses[status] = (responses[status] ?? 0) + 1;
      const last = statuses.at(-1);
      left = received.slice(last === undefined ? 0 : last.index + last[0].length).slice(-11);
      if (responded < count) return more();
      socket.end();
    });
    socket.on('error', reject).on('close', () => resolve(responses));
    more();
  });
}

function keptAlive(request: string): string {
  return request.replace('HTTP/1.0', 'HTTP/1.1').replace('Connection: close', 'Connection: keep-alive');
}
