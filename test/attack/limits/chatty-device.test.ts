/** Devices that are silent, are slow or never stop sending: uploads end, and the verdict contains the reason. */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import test from 'ava';
import type { TransferLimits } from '../../../src/core/model/transfer-pace.ts';
import { describeVerdict, exitCodeOf } from '../../../src/delivery/verdict.ts';
import { send, sendByWeb } from '../../delivery/quick.ts';
import { endlessMs } from '../../support/patience.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { endlessly, type Inviter, rudeEspotaDevice, rudeWebServer } from './rude-device.ts';

const kind = 'devices that never end an upload';

/**
 * Short limits for attacks that only a time limit ends. These attacks would work the same way for an hour. If a slow machine reaches a
 * limit before the device begins its attack, the attack is repeated with longer limits. In all other tests, the limits last an hour, so
 * that only a limit on size can end the attack.
 */
const short = [1, 4, 16, 64].map((factor) => ({ graceMs: 2000 * factor, windowMs: 1000 * factor }));
const endless = [{ graceMs: endlessMs, windowMs: endlessMs }];

/** Number of bytes that a connection on this machine may buffer, in addition to the bytes that the tool reads. */
const mostBufferedBytes = 16 * 1024 ** 2;
/** Three attempts with two requests each. */
const mostConnections = 6;

const smallImage = new Uint8Array(1024);
/** Larger than all buffers of a connection on this machine. */
const largeImage = new Uint8Array(32 * 1024 ** 2);

interface WebForm {
  readonly onPage?: (socket: Socket) => void;
  readonly onUpdate?: (socket: Socket) => void;
  readonly image?: Uint8Array;
  /** Limits of the attempts, in this order. */
  readonly limits?: readonly TransferLimits[];
  readonly verdict: RegExp;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const form = '<input name=firmware><input name=filesystem>';
const goodPage = (socket: Socket) => socket.end(`${ok}Content-Length: ${form.length}\r\n\r\n${form}`);
const success = 'Update Success! Rebooting...';
const brackets = '<'.repeat(65_000);
const block = 'x'.repeat(16 * 1024);
const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
const chunk = `4000\r\n${block}\r\n`;

const slow = /^unknown: the device is too slow \((not complete after|less than 2 KB\/s)/;
const tooMuch = /^unknown: the device does not stop sending/;
const noUpdater = /^wrong protocol: no web updater found/;
const unexpected = /^unknown: unexpected response from the web server/;

const webForms: Readonly<Record<string, WebForm>> = {
  'does not respond': {
    onPage: () => undefined,
    limits: short,
    verdict: /^unreachable: port \d+ of 127.0.0.1 is open/,
  },
  'sends endless headers': { onPage: endlessly(ok, `a: ${block}\r\n`), verdict: noUpdater },
  'sends headers slowly': { onPage: endlessly(ok, 'a', 20), limits: short, verdict: noUpdater },
  'sends endless bytes that are not HTTP': { onPage: endlessly('', block), verdict: noUpdater },
  'sends a page slowly': { onPage: endlessly(`${ok}\r\n`, 'x', 20), limits: short, verdict: slow },
  'announces a huge page': {
    onPage: (socket) => socket.write(`${ok}Content-Length: 999999999999\r\n\r\n`),
    limits: short,
    verdict: slow,
  },
  'redirects forever': {
    onPage: (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /update\r\nContent-Length: 0\r\n\r\n'),
    onUpdate: (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /update\r\nContent-Length: 0\r\n\r\n'),
    verdict: /./,
  },
  'sends an endless 401 response': {
    onPage: endlessly('HTTP/1.1 401 Unauthorized\r\n\r\n', block),
    verdict: /^rejected: the device requires a password/,
  },
  'responds with 404 and a page of brackets': {
    onPage: (socket) => socket.end(`HTTP/1.1 404 Not Found\r\n\r\n${brackets}`),
    verdict: noUpdater,
  },
  'sends endless 100 Continue responses': {
    onPage: endlessly('', interim.repeat(20)),
    onUpdate: endlessly('', interim.repeat(20)),
    verdict: unexpected,
  },
  'sends 100 Continue responses slowly': {
    onPage: endlessly('', interim, 20),
    limits: short,
    verdict: slow,
  },
  'does not read the update': {
    onUpdate: (socket) => socket.pause(),
    image: largeImage,
    limits: short,
    verdict: slow,
  },
  'reads the update slowly': {
    onUpdate: (socket) => {
      socket.pause();
      const reading = setInterval(() => socket.read(1), 20);
      socket.once('close', () => clearInterval(reading));
    },
    image: largeImage,
    limits: short,
    verdict: slow,
  },
  'sends an endless result': { onUpdate: endlessly(`${ok}\r\n`, block), verdict: unexpected },
  'sends an endless chunked result': {
    onUpdate: endlessly(`${ok}Transfer-Encoding: chunked\r\n\r\n`, chunk),
    verdict: unexpected,
  },
  'sends endless headers before its result': { onUpdate: endlessly(ok, `a: ${block}\r\n`), verdict: tooMuch },
  'sends a result slowly': { onUpdate: endlessly(`${ok}\r\n`, ' ', 20), limits: short, verdict: slow },
  'sends no result': { onUpdate: () => undefined, limits: short, verdict: slow },
  'sends a result of brackets': {
    onUpdate: (socket) => socket.write(`${ok}Content-Length: ${brackets.length}\r\n\r\n${brackets}`),
    verdict: unexpected,
  },
  'sends an endless error': {
    onUpdate: endlessly(`${ok}\r\nUpdate error: ERROR[4]: `, block),
    verdict: /^rejected: ERROR\[4\]: x/,
  },
};

for (const [
  what,
  { onPage = goodPage, onUpdate = goodPage, image = smallImage, limits = endless, verdict },
] of Object.entries(webForms)) {
  test(`ends an upload to a web updater when the device ${what}`, async (t) => {
    const ended = await firstMatch(limits, verdict, async (timings) => {
      const device = await rudeWebServer(t, onPage, onUpdate);
      const sent = await sendByWeb({ host: device.host, webPort: device.port }, { image, timings });
      t.is(exitCodeOf(sent.verdict), 1);
      t.true(device.takenBytes() < mostBufferedBytes, `${device.takenBytes()}`);
      t.true(device.connections() <= mostConnections, `${device.connections()}`);
      return describeVerdict(sent.verdict).text;
    });
    t.regex(ended, verdict);
    countAttacks({ kind, tried: 1, withstood: 1 });
  });
}

test('accepts the result of a web updater that then keeps the connection open or continues to send slowly', async (t) => {
  for (const after of [() => undefined, endlessly('', ' ', 20)]) {
    const ended = await firstMatch(short, /^accepted$/, async (timings) => {
      const device = await rudeWebServer(t, goodPage, (socket) => {
        socket.write(`${ok}\r\n${success}`);
        after(socket);
      });
      const sent = await sendByWeb({ host: device.host, webPort: device.port }, { image: smallImage, timings });
      return sent.verdict.kind;
    });
    t.is(ended, 'accepted');
  }
  countAttacks({ kind, tried: 2, withstood: 2 });
});

/** Repeats the upload with the next limits until the result matches. Returns the last result. */
async function firstMatch(
  limits: readonly TransferLimits[],
  expected: RegExp,
  upload: (limits: TransferLimits) => Promise<string>,
): Promise<string> {
  let result = '';
  for (const each of limits) {
    result = await upload(each);
    if (expected.test(result)) return result;
  }
  return result;
}

interface EspotaForm {
  readonly onDatagram: (inviter: Inviter, text: string) => void;
  readonly image?: Uint8Array;
  readonly password?: string;
  /** Limits of the attempts, in this order. */
  readonly limits?: readonly TransferLimits[];
  readonly verdict: RegExp;
}

const anImage = new Uint8Array(4 * 1024);

/** Accepts the invitation and handles the connection with `behave`. */
function connected(behave: (socket: Socket) => void): (inviter: Inviter) => void {
  return ({ say, callBack }) => {
    say('OK');
    const socket = callBack();
    socket.once('connect', () => behave(socket));
  };
}

/** Reads the whole image with one acknowledgment for each part, and calls `then` at the end. */
function readAll(sizeBytes: number, then: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    let count = 0;
    socket.on('data', (bytes) => {
      count += bytes.length;
      socket.write(`${bytes.length}`);
      if (count === sizeBytes) then(socket);
    });
  };
}

/** Sends texts until the test ends, in batches, so that the sender reads in between. */
function sayForever(say: (text: string) => void, text: () => string): void {
  for (let count = 0; count < 100; count++) say(text());
  setTimeout(() => sayForever(say, text), 5).unref();
}

let nonces = 0;
const nextChallenge = () => `AUTH ${(nonces++).toString(16).padStart(32, '0')}`;
const flood = /^unknown: the device sends too many datagrams/;

const espotaForms: Readonly<Record<string, EspotaForm>> = {
  'sends a challenge with endless digits': {
    onDatagram: ({ say }) => say(`AUTH ${'0'.repeat(10_000)}`),
    verdict: /^wrong protocol: unknown response/,
  },
  'sends datagrams of the maximum size': {
    onDatagram: ({ say }) => say(`AUTH ${'0'.repeat(60_000)}`),
    verdict: flood,
  },
  'sends endless challenges': {
    onDatagram: ({ say }, text) => text.startsWith('0 ') && sayForever(say, nextChallenge),
    password: 'x',
    verdict: flood,
  },
  'sends OK endlessly and never connects': {
    onDatagram: ({ say }) => sayForever(say, () => 'OK'),
    verdict: flood,
  },
  'reports an incorrect password endlessly': {
    onDatagram: ({ say }) => sayForever(say, () => 'Authentication Failed'),
    password: 'x',
    verdict: flood,
  },
  'acknowledges an occasional byte': {
    onDatagram: connected((socket) => {
      socket.pause();
      endlessly('', '1', 20)(socket);
    }),
    image: largeImage,
    limits: short,
    verdict: slow,
  },
  'acknowledges an occasional byte while the system buffers the whole image': {
    onDatagram: connected((socket) => {
      socket.pause();
      endlessly('', '1', 20)(socket);
    }),
    image: new Uint8Array(400_000),
    limits: short,
    verdict: /^unknown: the device is too slow \(less than 2 KB\/s/,
  },
  'does not read the image': {
    onDatagram: connected((socket) => socket.pause()),
    image: largeImage,
    limits: short,
    verdict: slow,
  },
  'sends endless digits': { onDatagram: connected(endlessly('', '9'.repeat(10_000))), verdict: tooMuch },
  'sends endless digits, a few at a time': {
    onDatagram: connected(endlessly('', '1'.repeat(20))),
    verdict: tooMuch,
  },
  'sends an endless error': {
    onDatagram: connected(endlessly('ERROR[1]: ', block)),
    verdict: /^(unknown: the device does not stop sending|rejected)/,
  },
  'sends no result': { onDatagram: connected(readAll(anImage.length, () => undefined)), limits: short, verdict: slow },
  'sends a result that never ends': {
    onDatagram: connected(readAll(anImage.length, (socket) => endlessly('ERROR', '!', 20)(socket))),
    limits: short,
    verdict: slow,
  },
  'sends endless text after the image': {
    onDatagram: connected(readAll(anImage.length, (socket) => endlessly('', '1'.repeat(5000))(socket))),
    verdict: tooMuch,
  },
  'reconnects endlessly': {
    onDatagram: ({ say, callBack }) => {
      say('OK');
      const again = () => callBack().once('connect', () => setTimeout(again, 5).unref());
      again();
    },
    verdict: /^(unknown|unreachable|blocked)/,
  },
};

for (const [what, { onDatagram, image = anImage, password, limits = endless, verdict }] of Object.entries(
  espotaForms,
)) {
  test(`ends an espota upload when the device ${what}`, async (t) => {
    const ended = await firstMatch(limits, verdict, async (timings) => {
      const device = await rudeEspotaDevice(t, onDatagram);
      const sent = await send({ host: device.host, otaPort: device.port }, { image, timings, password });
      t.is(exitCodeOf(sent.verdict), 1);
      t.true(device.takenBytes() < mostBufferedBytes, `${device.takenBytes()}`);
      return describeVerdict(sent.verdict).text;
    });
    t.regex(ended, verdict);
    countAttacks({ kind, tried: 1, withstood: 1 });
  });
}

test('uploads to a web updater that reads in small steps', async (t) => {
  const image = new Uint8Array(60_000);
  const device = await rudeWebServer(t, goodPage, (socket) => {
    socket.pause();
    let count = 0;
    const step = () => {
      const bytes: Buffer | null = socket.read(512) ?? socket.read();
      count += bytes?.length ?? 0;
      if (count >= image.length) socket.end(`${ok}Content-Length: ${success.length}\r\n\r\n${success}`);
      else setImmediate(step);
    };
    step();
  });
  const sent = await sendByWeb({ host: device.host, webPort: device.port }, { image });
  t.deepEqual(sent.verdict, { kind: 'accepted' });
});

test('uploads to an espota device that reads and acknowledges in small steps', async (t) => {
  const image = new Uint8Array(60_000);
  const device = await rudeEspotaDevice(
    t,
    connected((socket) => {
      let count = 0;
      socket.pause();
      const step = () => {
        const bytes: Buffer | null = socket.read(256) ?? socket.read();
        count += bytes?.length ?? 0;
        for (let left = bytes?.length ?? 0; left > 0; left -= 64) socket.write(`${Math.min(64, left)}`);
        if (count === image.length) socket.write('OK');
        else setImmediate(step);
      };
      step();
    }),
  );
  const sent = await send({ host: device.host, otaPort: device.port }, { image });
  t.deepEqual(sent.verdict, { kind: 'accepted' });
});

test('accepts the OK of an espota device that continues to send', async (t) => {
  const device = await rudeEspotaDevice(
    t,
    connected(readAll(anImage.length, (socket) => endlessly('OK', 'OK'.repeat(1000))(socket))),
  );
  const sent = await send({ host: device.host, otaPort: device.port }, { image: anImage });
  t.deepEqual(sent.verdict, { kind: 'accepted' });
  t.true(device.takenBytes() < mostBufferedBytes);
  countAttacks({ kind, tried: 1, withstood: 1 });
});

test('does not count datagrams from other addresses as datagrams from the device', async (t) => {
  const stranger = createSocket('udp4');
  await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.2', resolve));
  t.teardown(() => stranger.close());
  const accept = connected(readAll(anImage.length, (socket) => socket.write('OK')));
  const count = 200;
  const device = await rudeEspotaDevice(t, async (inviter) => {
    for (let sent = 0; sent < count; sent++) {
      const text = sent % 2 === 0 ? `ERR: ${'x'.repeat(1000)}` : 'Authentication Failed';
      await new Promise<void>((resolve) => stranger.send(text, inviter.udpPort, '127.0.0.1', () => resolve()));
    }
    accept(inviter);
  });
  const sent = await send({ host: device.host, otaPort: device.port }, { image: anImage });
  t.deepEqual(sent.verdict, { kind: 'accepted' });
  countAttacks({ kind: 'datagrams from other addresses', tried: count, withstood: count });
});
