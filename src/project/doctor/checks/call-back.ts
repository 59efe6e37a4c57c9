import { readFile } from 'node:fs/promises';
import { ownAddresses } from '../../../delivery/mdns.ts';
import { describeVerdict } from '../../../delivery/verdict.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { firewallOf } from '../firewall.ts';
import { settingsOf, type World } from '../world.ts';

/**
 * Checks whether a device can connect to this machine, as it must in an espota upload. A virtual device connects to the address that real
 * devices would receive. This finds occupied ports and invalid addresses, but not a firewall, because a machine can always connect to
 * itself. So the firewall is queried separately.
 */
export const callBack: Check = {
  about: 'devices can call back in an espota upload',
  run: async (world) => {
    const { hostIp, hostPort } = settingsOf(world)?.config.upload ?? {};
    const address = hostIp ?? ownAddresses()[0] ?? '127.0.0.1';
    const tried = await tryUpload(address, hostPort, world);
    return [tried, ...(await firewall(world, hostPort)), ...(await shieldedMachine(world))];
  },
};

async function tryUpload(
  address: string,
  hostPort: number | undefined,
  { signal, updateVirtualDevice }: World,
): Promise<DoctorFinding> {
  const where = hostPort === undefined ? address : `TCP port ${hostPort} of ${address}`;
  try {
    const verdict = await updateVirtualDevice(address, hostPort, signal);
    if (verdict.kind === 'accepted') return { level: 'ok', says: `a virtual device could call back to ${where}` };
    const { text: words, hint } = describeVerdict(verdict);
    return { level: 'error', says: `a virtual device on this machine could not be updated: ${words}`, mend: hint };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OtaError) return { level: 'error', says: error.message, mend: error.hint };
    const why = error instanceof Error ? error.message : String(error);
    const mend = 'Check "hostIp" and "hostPort" in ota.config.json';
    return { level: 'error', says: `no device can call back to ${where}: ${why}`, mend };
  }
}

async function firewall(world: World, hostPort: number | undefined): Promise<readonly DoctorFinding[]> {
  const found = await firewallOf(world);
  if (found === undefined) return [];
  const port = hostPort ?? 8267;
  const fixed =
    hostPort === undefined ? `Fix the port with "upload": {"hostPort": ${port}}, then` : 'Make sure that it is let in:';
  const says = `${found.name} is on, and may keep devices from calling back`;
  return [{ level: hostPort === undefined ? 'warning' : 'note', says, mend: `${fixed} ${found.letIn(port)}` }];
}

/** Warns about WSL, because devices cannot connect into its network. */
async function shieldedMachine({ platform, env }: World): Promise<readonly DoctorFinding[]> {
  if (platform !== 'linux') return [];
  const kernel = await readFile('/proc/version', 'latin1').catch(() => '');
  if (env['WSL_DISTRO_NAME'] === undefined && !/microsoft/i.test(kernel)) return [];
  const says = 'this is Linux inside Windows (WSL): devices cannot call back into its network';
  const mend = 'Upload from Windows itself, or switch WSL to networkingMode=mirrored; --method web needs no call-back';
  return [{ level: 'warning', says, mend }];
}
