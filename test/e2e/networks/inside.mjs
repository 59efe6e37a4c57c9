/** Runs within a network namespace, and prints a JSON document: `node inside.mjs TASK CLI FOLDER`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
};

console.log(JSON.stringify(await tasks[task]()));
