/** Runs within a network namespace, and prints a JSON document: `node inside.mjs TASK CLI FOLDER`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const [task, cli, folder] = process.argv.slice(2);

/** Starts a command and waits until its output matches. */
async function start(argv, pattern) {
  const child = spawn(process.execPath, [cli, ...argv], { cwd: folder });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(output)));
  while (!pattern.test(output)) await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
  ended.catch(() => undefined);
  return { output, child };
}

const tasks = {
  /** Requests each address that a server prints. */
  async addresses() {
    const { output, child } = await start(
      ['serve', '--data', join(folder, 'data'), '--listen', '[::]:8266'],
      /Dashboard: .*\n/,
    );
    const printed = [...new Set(output.match(/http:\/\/[^/\s]+/g))];
    const answers = printed.map(async (origin) => [origin, (await fetch(`${origin}/readyz`)).status]);
    const result = Object.fromEntries(await Promise.all(answers));
    child.kill();
    return result;
  },

  /** Uploads to names that the hosts file of this namespace defines. The device has the last of 20 addresses. */
  async names() {
    const image = join(folder, 'door.bin');
    const device = [
      'simulate',
      '--host',
      '127.0.1.20',
      '--ota-port',
      '8266',
      '--image',
      image,
      '--no-public-key',
      '--quick',
      '--json',
    ];
    const { child } = await start(device, /"event":"ready"/);
    const result = {};
    for (const host of ['twenty.test', 'missing.test', 'loopback.test']) {
      const port = host === 'loopback.test' ? '8267' : '8266';
      const options = ['--port', port, '--allow', 'enforcement-unproven', '--timeout', '2', '--confirm', 'none'];
      const upload = spawn(process.execPath, [cli, 'upload', image, '--host', host, ...options, '--json'], {
        cwd: folder,
      });
      let output = '';
      upload.stdout.on('data', (chunk) => (output += chunk));
      await once(upload, 'close');
      result[host] = JSON.parse(output);
    }
    child.kill();
    return result;
  },

  /** Adds a device by a name that the device on each of two links has. */
  async links() {
    const devices = await Promise.all([linkedDevice('eth0', '192.0.2'), linkedDevice('eth1', '198.51.100')]);
    const add = async (seconds, ...more) => {
      await writeFile(join(folder, 'ota.config.json'), '{}');
      const argv = ['discover', '--add', devices[0].hostname, '--watch', '--timeout', seconds, '--json', ...more];
      const discover = spawn(process.execPath, [cli, ...argv], { cwd: folder });
      let output = '';
      discover.stdout.on('data', (chunk) => (output += chunk));
      const [exitCode] = await once(discover, 'close');
      const { error, device } = JSON.parse(output.slice(output.lastIndexOf('\n{') + 1));
      return { exitCode, message: error?.message, hint: error?.hint, address: device?.address };
    };
    /** On a busy machine, the second device may respond late, which only a longer time shows. */
    const patiently = async (isDone, ...more) => {
      for (const seconds of ['5', '20']) {
        const result = await add(seconds, ...more);
        if (isDone(result)) return result;
      }
      return add('80', ...more);
    };
    const results = {
      name: await patiently(({ exitCode }) => exitCode === 1),
      address: await patiently(({ address }) => address === '198.51.100.2', '--host', '198.51.100.2'),
    };
    for (const { child } of devices) child.kill();
    return results;
  },
};

/**
 * Starts a device in a network namespace of its own, on the other end of a link to this one. Each device has the same name, because the name
 * depends only on the seed.
 */
async function linkedDevice(link, network) {
  await run(`ip link add ${link} type veth peer name ${link}-end && ip addr add ${network}.1/24 dev ${link}`);
  const device = `simulate --host ${network}.2 --mdns --quick --json`;
  const script = `echo here && read end && ip link set lo up && ip addr add ${network}.2/24 dev ${link}-end && ip link set ${link}-end up && exec "$@"`;
  const child = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', process.execPath, cli, ...device.split(' ')]);
  await once(child.stdout, 'data');
  await run(`ip link set ${link}-end netns ${child.pid} && ip link set ${link} up`);
  child.stdin.write('moved\n');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(output)));
  while (!/"event":"ready"/.test(output)) await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  const [, chip] = /"mac":"(?:..:){3}(.{8})"/.exec(output);
  return { child, hostname: `esp8266-${chip.replaceAll(':', '').toLowerCase()}` };
}

async function run(script) {
  const [exitCode] = await once(spawn('sh', ['-c', script], { stdio: 'inherit' }), 'exit');
  if (exitCode !== 0) throw new Error(script);
}

console.log(JSON.stringify(await tasks[task]()));
