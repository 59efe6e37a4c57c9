/**
 * An administrator installs the server as a service, puts it behind a proxy, upgrades it, goes back and restores a backup, with the commands
 * of docs/server.md. They run as root in a mount namespace in which /opt, /etc/systemd and /var/lib are empty folders. Programs stand in for
 * systemd, which does not run here, and for apt-get, because the packages are installed.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { actsOf } from '../../docs/acts.ts';
import { freePort } from '../../support/free-port.ts';
import { testFolder } from '../../support/test-folder.ts';
import { packTarball } from '../newcomer/place.ts';
import { aptInstall } from '../provision/apt.ts';
import { installNode } from '../provision/node.ts';

/** Starts the command of a unit as systemd does, with other ports. `$1`: action; the last word: unit. */
const systemctl = `#!/bin/bash
set -e
for unit in "$@"; do :; done
pid=/var/lib/$unit.pid
stop() { [ ! -f $pid ] || { kill $(cat $pid); while kill -0 $(cat $pid) 2>/dev/null; do sleep 0.05; done; rm $pid; }; }
start() {
  if [ $unit = caddy ]; then
    sed -e "s#http://ota.example.com#http://:$HTTP_PORT#" -e "s#https://ota.example.com {#https://localhost:$HTTPS_PORT {\\n tls internal#" \\
      -e "s#127.0.0.1:8266#127.0.0.1:$PORT#g" -e '1i {\\nadmin off\\nskip_install_trust\\nauto_https disable_redirects\\n}' /etc/caddy/Caddyfile >/var/lib/Caddyfile
    command="/usr/bin/caddy run --adapter caddyfile --config /var/lib/Caddyfile"
    ready='serving initial configuration'
  else
    mkdir -p /var/lib/private/$unit && ln -sfn private/$unit /var/lib/$unit
    command=$(cat /etc/systemd/system/$unit.service /etc/systemd/system/$unit.service.d/*.conf 2>/dev/null | sed -n 's/^ExecStart=//p' | tail -1 | sed "s/:8266/:$PORT/")
    ready='Serving on'
  fi
  $command >/var/lib/$unit.log 2>&1 </dev/null & echo $! >$pid
  until grep -q "$ready" /var/lib/$unit.log; do kill -0 $(cat $pid) || { cat /var/lib/$unit.log; exit 1; }; sleep 0.1; done
}
case $1 in
  daemon-reload) ;;
  enable | start) start ;;
  stop) stop ;;
  restart) stop; start ;;
esac
`;

test.before(() => aptInstall(['caddy', 'curl']));

test('the commands of docs/server.md install, proxy, upgrade, go back and restore a service', async (t) => {
  const folder = await testFolder(t);
  const tarball = await packTarball(folder.at('tarball'));
  const programs = { systemctl, 'apt-get': '#!/bin/sh\nexit 0\n' };
  for (const [name, text] of Object.entries(programs)) await folder.write(`bin/${name}`, text);
  const [port, httpPort, httpsPort] = [await freePort(), await freePort(), await freePort()];
  const steps: string[] = [];
  for (const act of actsOf('server.md', 'Run the server as a service')) {
    if (act.act === 'save') {
      steps.push(
        `mkdir -p ${dirname(act.path)} && cp ${await folder.write(`saved/${steps.length}`, act.text)} ${act.path}`,
      );
      continue;
    }
    const { command } = act;
    const typed = command
      .replace(/ ota-hooks(?:@\S+)?$/, (end) => (command.startsWith('npm ') ? ` --prefer-offline ${tarball}` : end))
      .replace('localhost:8266', `127.0.0.1:${port}`)
      .replace('ota_…', '$(cat /var/lib/ota-hooks/first-admin.token)');
    steps.push(`echo "+ ${command}"`, typed);
    if (command === 'export OTA_TOKEN=ota_…')
      steps.push('ota-hooks server projects set door --user esp --password-env NAME');
    if (command === 'systemctl restart caddy') {
      steps.push(
        `curl --silent --show-error --fail --insecure https://localhost:${httpsPort}/readyz`,
        'echo " through the proxy"',
      );
    }
    if (command.startsWith('systemctl') && command.endsWith('start ota-hooks'))
      steps.push('ota-hooks server projects list');
  }
  const script = [
    'set -e',
    ...['opt', 'etc/systemd', 'etc/caddy', 'var/lib'].flatMap((name) => [
      `mkdir -p ${folder.at(name)} /${name}`,
      `mount --bind ${folder.at(name)} /${name}`,
    ]),
    'mkdir -p /etc/systemd/system',
    `chmod +x ${folder.at('bin')}/*`,
    `cd ${folder.path}`,
    ...steps,
  ].join('\n');
  const env = {
    // The page requires a version of Node.js with SQLite.
    PATH: [folder.at('bin'), dirname(await installNode('22')), process.env['PATH']].join(':'),
    NAME: 'correct-horse',
    npm_config_cache: join(homedir(), '.npm'),
    npm_config_update_notifier: 'false',
    HOME: homedir(),
    XDG_DATA_HOME: folder.at('caddy-data'),
    XDG_CONFIG_HOME: folder.at('caddy-config'),
    ...{ PORT: String(port), HTTP_PORT: String(httpPort), HTTPS_PORT: String(httpsPort) },
  };
  const argv = ['--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', script];
  const { exitCode, all = '' } = await execa('unshare', argv, { env, reject: false, all: true, stdin: 'ignore' });
  t.is(exitCode, 0, all);
  t.regex(all, /through the proxy/);
  t.is(all.match(/^door\b.*$/gm)?.length, 5, all);
  const logs = await Promise.all(['before-upgrade.ndjson'].map((name) => readFile(folder.at(name), 'utf8')));
  t.regex(logs.join(''), /"door"/);
});
