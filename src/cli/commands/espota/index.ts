import { resolve } from 'node:path';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { requireNoOwnSecret, requireNotReserved } from '../../../core/model/secret-policy.ts';
import { deliveryMethods } from '../../../delivery/delivery-methods.ts';
import { dropInArtifact } from '../../../delivery/drop-in-artifact.ts';
import type { Progress } from '../../../delivery/progress.ts';
import { describeVerdict, exitCodeOf } from '../../../delivery/verdict.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { lineStart } from '../../output/terminal-text.ts';
import { port } from '../../shared/option-values.ts';

const espotaCommand = (declaration: Declaration) =>
  command(declaration, 'espota', "Run as a drop-in replacement for the core's tools/espota.py", [
    'ota-hooks espota -i 192.168.1.23 -f .pio/build/d1_mini/firmware.bin',
    'ota-hooks espota -i door.local --password-env DOOR_PASSWORD -s -f build/littlefs.bin',
  ])
    .option('-i, --ip <host>', 'Address or host name of the device')
    .option(
      '-I, --host_ip <ip>',
      'Address of this machine that the device connects to (default: from the route to the device)',
    )
    .option('-p, --port <port>', 'UDP port of the device (default: 8266)', portOrNone)
    .option(
      '-P, --host_port <port>',
      'TCP port of this machine that the device connects to (default: any free port)',
      portOrNone,
    )
    .option(
      '-a, --auth <password>',
      'Device password; other users of this machine can see it, so prefer --password-env',
    )
    .option('--password-env <name>', 'Environment variable with the device password')
    .option('-f, --file <file>', 'Image to send; if it has a signed artifact, the artifact is sent instead')
    .option('-s, --spiffs', 'Send the file as a filesystem image')
    .option('-d, --debug', 'Show more details (same as --verbose)')
    .option('-r, --progress', 'Show progress');

/** Options of the core's `tools/espota.py`, with an additional option for the password. */
type EspotaOptions = OptionsOf<typeof espotaCommand>;

export function declareEspota(declaration: Declaration) {
  return espotaCommand(declaration).action((options) => espota(options, declaration.io));
}

/**
 * Replaces the core's `tools/espota.py` in platform.txt and in PlatformIO's UPLOADCMD. The exit code is 0 only if the device accepts the
 * update.
 */
export async function espota(options: EspotaOptions, io: Io): Promise<void> {
  const report = makeReport(io, { ...options, verbose: options.verbose === true || options.debug === true });
  const { ip: host, file } = options;
  if (host === undefined || host === '' || file === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '`espota`', wanted: '-i HOST and -f FILE' });
  }
  const port = options.port ?? deliveryMethods.espota.defaultPort;
  const hostPort = options.host_port;
  const kind = options.spiffs === true ? 'filesystem' : 'sketch';
  const password = passwordOf(options, io, report);
  const { path, bytes } = await dropInArtifact(resolve(io.cwd, file), kind);
  report.say(`Uploading ${report.path(path)} (${bytes.length} bytes) to ${host}:${port}`);
  const view = makeView(options, io, report);
  const target = { host, port, hostPort, hostIp: hostIpOf(options) };
  const verdict = await deliveryMethods.espota
    .deliver(target, bytes, { kind, password, signal: io.signal, onProgress: view.show })
    .finally(view.end);
  const { text, hint } = describeVerdict(verdict);
  const isDone = exitCodeOf(verdict) === 0;
  if (isDone) report.say(`${host}: ${text}`);
  report.result(
    'espota',
    { host, port, file: path, sizeBytes: bytes.length, verdict, message: text, hint: hint ?? null },
    undefined,
    isDone ? undefined : new OtaError('UPLOAD_FAILED', { failed: 1, total: 1, devices: `${host}: ${text}`, hint }),
  );
}

/** espota.py uses 0.0.0.0 to listen on any address. */
function hostIpOf({ host_ip: hostIp }: EspotaOptions): string | undefined {
  return hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' ? undefined : hostIp;
}

/** platform.txt passes an empty port if discovery found no port. */
function portOrNone(value: string): number | undefined {
  return value === '' ? undefined : port(value);
}

/** Returns the password. platform.txt passes an empty `--auth=` if the device has no password. */
function passwordOf({ auth, passwordEnv }: EspotaOptions, io: Io, report: Report): string | undefined {
  if (auth !== undefined && auth !== '') {
    report.warn(
      'the password in --auth is visible to other users of this machine and stays in the shell history; use --password-env NAME instead',
    );
    return auth;
  }
  if (passwordEnv === undefined) return undefined;
  const claim = {
    use: 'device-password',
    source: { env: passwordEnv },
    purpose: 'the device password',
  } as const;
  requireNotReserved(claim);
  const password = secretFromEnvironment(passwordEnv, io.env, claim.purpose);
  requireNoOwnSecret(password, claim, io.env);
  return password;
}

interface View {
  readonly show: (progress: Progress) => void;
  readonly end: () => void;
}

const barColumns = 40;
const percentPerLine = 10;

const phases: Record<Progress['phase'], string> = {
  inviting: 'Inviting the device',
  authenticating: 'Authenticating',
  awaitingCallBack: 'Waiting for the device to connect',
  sending: 'Sending',
  awaitingVerdict: 'Waiting for the result',
};

/**
 * Creates the display for --progress. A terminal shows a bar. A log contains one line for every 10%, because it would record every redraw
 * of a bar.
 */
function makeView({ progress: isWanted, quiet }: EspotaOptions, io: Io, report: Report): View {
  let lastPhase: Progress['phase'] | undefined;
  let lastPercent = 0;
  let isBarOpen = false;
  const end = () => {
    if (isBarOpen) io.stderr.write('\n');
    isBarOpen = false;
  };
  const show = ({ phase, transferredBytes, totalBytes, attempt }: Progress) => {
    if (phase !== lastPhase) {
      end();
      report.detail(`${phases[phase]}${attempt > 1 ? ` (attempt ${attempt})` : ''}`);
    }
    lastPhase = phase;
    const percent = Math.floor((100 * transferredBytes) / totalBytes);
    if (isWanted !== true || quiet === true || phase === 'inviting') return;
    if (io.fancy) {
      const filled = '='.repeat(Math.floor((barColumns * percent) / 100)).padEnd(barColumns);
      io.stderr.write([lineStart, `Uploading: [${filled}] ${percent}%`]);
      isBarOpen = true;
    } else if (percent >= lastPercent + percentPerLine) {
      lastPercent = percent - (percent % percentPerLine);
      report.say(`Uploading: ${lastPercent}%`);
    }
  };
  return { show, end };
}
