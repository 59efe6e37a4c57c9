/** Many addresses of one subscriber: an IPv6 /64 can open no more connections than a single address, and cannot lock out its neighbors. */
import { Server, Socket } from 'node:net';
import test from 'ava';
import { trustProxies } from '../../../src/server/auth/client-address.ts';
import { limitConnections } from '../../../src/server/http/connections.ts';
import { newCounters } from '../../../src/server/observability/counters.ts';
import { countAttacks } from '../support/attack-counts.ts';

const mostPerAddress = 4;
const tried = 500;

/** Forms of an address; N differs in each connection. */
const subscribers = ['2001:db8:0:7::N', '2001:db8:0:7:N::1', '2001:db8:0:7:N:N:N:N', '::ffff:192.0.2.1'];

/** Socket of a connection from an address. Only a machine with all these addresses could open real connections. */
function connectionFrom(address: string): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  return socket;
}

for (const subscriber of subscribers) {
  test(`limits the connections from ${subscriber} together`, (t) => {
    const counters = newCounters();
    const server = new Server();
    const isTrustedProxy = trustProxies(['2001:db8:0:7::ffff:1']);
    limitConnections(server, { mostConnections: 1e6, mostPerAddress, isTrustedProxy }, counters);
    const connect = (address: string) => {
      const socket = connectionFrom(address);
      server.emit('connection', socket);
      return socket;
    };
    for (let n = 0; n < 10; n++) connect('2001:db8:0:7::ffff:1');
    const sockets = Array.from({ length: tried }, (_, n) => connect(subscriber.replaceAll('N', (n + 1).toString(16))));
    const withstood = sockets.filter((socket) => socket.destroyed).length;
    t.is(withstood, tried - mostPerAddress);
    t.is(counters.rejectedConnections, withstood);
    for (const other of ['2001:db8:0:8::1', '192.0.2.2', '2001:db8:0:7::ffff:1'])
      t.false(connect(other).destroyed, other);
    countAttacks({ kind: 'connections from one subscriber', tried: withstood, withstood });
  });
}
