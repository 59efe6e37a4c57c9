import { isSecure } from '../../auth/is-secure.ts';
import type { ServerParts } from '../../parts.ts';
import { hostsOf, type PageContext } from './page-login.ts';
import { Snippet } from './snippet.tsx';

/** Name in the commands as long as the server has no project. */
const exampleProject = 'door';

/** Address at which the user has opened the dashboard. Devices may need another one, if the user works on the server itself. */
interface ServerAddress {
  readonly origin: string;
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
}

export function addressOf(context: PageContext, parts: ServerParts): ServerAddress {
  const { incoming } = context.env ?? {};
  const secure = incoming !== undefined && isSecure(incoming, parts.isTrustedProxy);
  // A proxy that replaces `Host` appends the host that the browser used to `X-Forwarded-Host`, so the last entry is its own.
  const origin = `${secure ? 'https' : 'http'}://${hostsOf(context, parts).at(-1) ?? 'localhost'}`;
  const { basePath = '' } = context.var;
  // The browser has sent the header; if it is not a host, the page shows a placeholder.
  const { protocol, hostname, port } = new URL(URL.canParse(origin) ? origin : 'http://localhost');
  const isHttps = protocol === 'https:';
  return { origin: origin + basePath, hostname, port: Number(port) || (isHttps ? 443 : 80), isSecure: isHttps };
}

interface FirstStepsProps {
  readonly address: ServerAddress;
  /** Undefined if the server has no project yet. */
  readonly project?: string | undefined;
}

/** Shows the three steps to the first device, with complete commands. */
export function FirstSteps({ address, project = exampleProject }: FirstStepsProps) {
  return (
    <section class="card" aria-labelledby="first-steps">
      <h2 id="first-steps">Three steps to the first device</h2>
      <ol>
        <li>
          <h3>Add the update check to your sketch</h3>
          {address.isSecure ? (
            <p>
              This server uses HTTPS. The template <code>templates/sketches/HttpsUpdate</code> in the package is a
              complete sketch.
            </p>
          ) : undefined}
          <Snippet id="sketch" text={sketchOf(address, project)} />
          {/^(localhost|127\.|\[::1\])/.test(address.hostname) ? (
            <p class="quiet">
              Replace <code>{address.hostname}</code> with the address of this machine in the network of the device.
            </p>
          ) : undefined}
        </li>
        <li>
          <h3>Prepare the project, and build it</h3>
          <Snippet id="prepare" text={prepareText(project)} />
          <p>
            Set the version in <code>ota.config.json</code>, and change it for each release:
          </p>
          <Snippet id="version" text={`{\n  "project": "${project}",\n  "version": "1.0.0"\n}`} />
        </li>
        <li>
          <h3>Publish the build</h3>
          <Snippet
            id="publish"
            text={`npx ota-hooks login ${address.origin}\npio run\nnpx ota-hooks publish --to ${address.origin}`}
          />
          <p class="quiet">
            Then flash this build over the serial port once (<code>pio run --target upload</code>), and press the reset
            button. The device appears here after its first update check.
          </p>
        </li>
      </ol>
    </section>
  );
}

function sketchOf({ hostname, port, isSecure: secure }: ServerAddress, project: string): string {
  const client = secure ? 'WiFiClientSecure' : 'WiFiClient';
  const trust = secure ? '\n  client.setTrustAnchors(&trustAnchors);  // the certificate of the server' : '';
  return `#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>

void setup() {
  WiFi.begin("network", "password");
}

void loop() {
  delay(60000);
  ${client} client;${trust}
  ESPhttpUpdate.update(client, "${hostname}", ${port}, "/update/${project}");
}`;
}

function prepareText(project: string): string {
  return `npm init --yes
npm install --save-dev ota-hooks
npx ota-hooks init --yes --project ${project}`;
}
