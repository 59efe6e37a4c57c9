import { ownAddresses } from '../../../delivery/mdns.ts';
import { describeVerdict } from '../../../delivery/verdict.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { textOrNothing } from '../../../files/read.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';
import { firewallOf } from '../firewall.ts';

/**
 * Checks whether a device can connect to this machine, as an espota upload requires. A virtual device connects to the address that real
 * devices would use. The check detects occupied ports and invalid addresses, but not a firewall, because a machine can always connect to
 * itself. The firewall is checked separately.
 */
export const callBack: Check = async (context) => {
  const { hostIp, hostPort } = settingsOf(context)?.config.upload ?? {};
  const address = hostIp ?? ownAddresses()[0] ?? '127.0.0.1';
  const tried = await tryUpload(address, hostPort, context);
  return [tried, ...(await firewall(context, hostPort)), ...(await shieldedMachine(context))];
};

async function tryUpload(
  address: string,
  hostPort: number | undefined,
  { signal, updateVirtualDevice }: CheckContext,
): Promise<DoctorFinding> {
  const where = hostPort === undefined ? address : `TCP port ${hostPort} of ${address}`;
  try {
    const verdict = await updateVirtualDevice(address, hostPort, signal);
    if (verdict.kind === 'accepted') return { level: 'ok', message: `A virtual device connected back to ${where}` };
    const { text, hint } = describeVerdict(verdict);
    return { level: 'error', message: `Update of a virtual device on this machine failed: ${text}`, fix: hint };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OtaError) return { level: 'error', message: error.message, fix: error.hint };
    const why = error instanceof Error ? error.message : String(error);
    const fix = 'Check "hostIp" and "hostPort" under "upload" in ota.config.json';
    return { level: 'error', message: `Devices cannot connect to ${where}: ${why}`, fix };
  }
}

/** Example port for the configuration. Any free port works. */
const examplePort = 8267;

async function firewall(context: CheckContext, hostPort: number | undefined): Promise<readonly DoctorFinding[]> {
  const found = await firewallOf(context);
  if (found === undefined) return [];
  if (hostPort !== undefined) {
    const message = `${found.name} is on and must allow TCP port ${hostPort}`;
    return [{ level: 'note', message, fix: found.howToAllow(hostPort) }];
  }
  const message = `${found.name} is on and may block connections from devices, because the port changes with each upload`;
  const fix = `Set "upload": {"hostPort": ${examplePort}} in ota.config.json. ${found.howToAllow(examplePort)}`;
  return [{ level: 'warning', message, fix }];
}

/** Warns about WSL, because devices cannot connect to the network inside WSL. */
async function shieldedMachine({ platform, env }: CheckContext): Promise<readonly DoctorFinding[]> {
  if (platform !== 'linux') return [];
  const kernel = await textOrNothing('/proc/version');
  if (env['WSL_DISTRO_NAME'] === undefined && !/microsoft/i.test(kernel)) return [];
  const message = 'Devices cannot connect to WSL (Linux inside Windows) in its default network mode';
  const fix =
    'Upload from Windows, set networkingMode=mirrored for WSL, or use --method web, which requires no connection from the device';
  return [{ level: 'warning', message, fix }];
}
