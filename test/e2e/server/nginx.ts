import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { freePort } from '../../support/free-port.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';

/** Path in Debian's package. */
const nginxPath = '/usr/sbin/nginx';

export const installNginx = () => aptInstall(['nginx', 'openssl']);

export interface Nginx {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM. */
  readonly certificate: string;
}

/** Starts nginx with a template; only its ports, its certificate and its cache folder are replaced. */
export async function startNginx(t: ExecutionContext, template: string): Promise<Nginx> {
  const folder = await testFolder(t);
  // nginx workers do not run as root, but only root can access a test folder.
  await chmod(folder.path, 0o711);
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const certificate = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  const names = ['-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', folder.at('key.pem'), '-out', folder.at('cert.pem')];
  await execa('openssl', ['req', ...certificate, ...names, ...files]);
  const site = template
    .replace('listen 80;', `listen 127.0.0.1:${httpPort};`)
    .replace('listen 443 ssl;', `listen 127.0.0.1:${httpsPort} ssl;`)
    .replace(/proxy_cache_path \S+/, `proxy_cache_path ${folder.at('cache')}`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${folder.at('cert.pem')};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${folder.at('key.pem')};`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.at(name)};`,
  );
  const main = `daemon off; pid ${folder.at('pid')}; error_log ${folder.at('error.log')}; events {} http { access_log off; ${temporary.join(' ')}\n${site} }`;
  const nginx = execa(nginxPath, ['-p', folder.path, '-c', await folder.write('nginx.conf', main)], { reject: false });
  t.teardown(async () => {
    nginx.kill('SIGTERM');
    await nginx;
  });
  // nginx writes the PID file after it has started to listen.
  while (!existsSync(folder.at('pid'))) {
    if (nginx.exitCode !== null) throw new Error((await nginx).stderr);
    await pause(20);
  }
  return { httpPort, httpsPort, certificate: await folder.text('cert.pem') };
}
