import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { Bonjour, type Service } from 'bonjour-service';
import { startVirtualDevice, syntheticSketch } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { patienceMs } from '../support/patience.ts';
import { afterwards, bareUpload, md5 } from './bare-host.ts';
import { patientTimings } from './patient-timings.ts';

const group = '224.0.0.251';

/** Opens an mDNS listener on its own port and only on loopback, so that it disturbs neither other tests nor the network. */
async function ears(t: ExecutionContext) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
  const { port } = socket.address();
  socket.addMembership(group, '127.0.0.1');
  socket.setMulticastInterface('127.0.0.1');
  const bonjour = new Bonjour({ socket, bind: false, port } as object);
  t.teardown(() => bonjour.destroy());
  const find = (type: string) =>
    new Promise<Service>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nobody announced ${type}`)), patienceMs);
      bonjour.find({ type }, (service) => {
        clearTimeout(timer);
        resolve(service);
      });
    });
  return { port, find };
}

const start = (options: VirtualDeviceOptions) =>
  startVirtualDevice({ image: { sizeBytes: 40_000 }, timings: patientTimings, ...options });

test('announces ArduinoOTA and the web updater at its own address, as the core does', async (t) => {
  const { port, find } = await ears(t);
  const seen = Promise.all([find('arduino'), find('http')]);
  await using device = await start({
    hostname: 'kitchen',
    password: 'secret',
    webPort: 0,
    mdns: { port, board: 'ESP8266_WEMOS_D1MINI', announcesSketchMd5: true, txt: { room: 'kitchen' } },
  });
  const [arduino, http] = await seen;
  t.like(arduino, { name: 'kitchen', host: 'kitchen.local', port: device.otaPort, addresses: ['127.0.0.1'] });
  t.deepEqual(arduino.txt, {
    tcp_check: 'no',
    ssh_upload: 'no',
    board: 'ESP8266_WEMOS_D1MINI',
    auth_upload: 'yes',
    sketch_md5: device.state.sketchMd5,
    room: 'kitchen',
  });
  t.like(http, { name: 'kitchen', port: device.webPort });
});

test('announces the MD5 of the new sketch after an update', async (t) => {
  const { port, find } = await ears(t);
  await using device = await start({ mdns: { port, announcesSketchMd5: true } });
  const image = syntheticSketch({ sizeBytes: 50_000, seed: 9 });
  const booted = afterwards(device);
  await bareUpload(t, device, image);
  await booted;
  t.like((await find('arduino')).txt, { auth_upload: 'no', sketch_md5: md5(image) });
  await device.close();
});
