import { readFile } from 'node:fs/promises';
import { ownAddresses } from '../../../delivery/mdns.ts';
import { wordsOf } from '../../../delivery/verdict.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Check, Finding } from '../check.ts';
import { firewallOf } from '../firewall.ts';
import { settingsOf, type World } from '../world.ts';

/**
 * In an espota upload the device connects to this machine. A virtual device does so here, on the address that devices would be told: this
 * finds ports that are taken and addresses that are none, but not a firewall, which lets a machine connect to itself; so that is asked for.
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
): Promise<Finding> {
  const where = hostPort === undefined ? address : `TCP port ${hostPort} of ${address}`;
  try {
    const verdict = await updateVirtualDevice(address, hostPort, signal);
    if (verdict.kind === 'accepted') return { level: 'ok', says: `a virtual device could call back to ${where}` };
    const { words, hint } = wordsOf(verdict);
    return { level: 'error', says: `a virtual device on this machine could not be updated: ${words}`, mend: hint };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OtaError) return { level: 'error', says: error.message, mend: error.hint };
    const why = error instanceof Error ? error.message : String(error);
    const mend = 'Check "hostIp" and "hostPort" in ota.config.json';
    return { level: 'error', says: `no device can call back to ${where}: ${why}`, mend };
  }
}

async function firewall(world: World, hostPort: number | undefined): Promise<readonly Finding[]> {
  const found = await firewallOf(world);
  if (found === undefined) return [];
  const port = hostPort ?? 8267;
  const fixed =
    hostPort === undefined ? `Fix the port with "upload": {"hostPort": ${port}}, then` : 'Make sure that it is let in:';
  const says = `${found.name} is on, and may keep devices from calling back`;
  return [{ level: hostPort === undefined ? 'warning' : 'note', says, mend: `${fixed} ${found.letIn(port)}` }];
}

/** Networks into which nobody outside can connect. */
async function shieldedMachine({ platform, env }: World): Promise<readonly Finding[]> {
  if (platform !== 'linux') return [];
  const kernel = await readFile('/proc/version', 'latin1').catch(() => '');
  if (env['WSL_DISTRO_NAME'] === undefined && !/microsoft/i.test(kernel)) return [];
  const says = 'this is Linux inside Windows (WSL): devices cannot call back into its network';
  const mend = 'Upload from Windows itself, or switch WSL to networkingMode=mirrored; --method web needs no call-back';
  return [{ level: 'warning', says, mend }];
}
