import { readFile } from 'node:fs/promises';
import type { World } from './world.ts';

/** Active firewall of this machine. */
export interface Firewall {
  readonly name: string;
  /** Returns the command or instruction that lets devices connect to a TCP port. */
  letIn(port: number): string;
}

/** Queries the usual firewall of each system. Returns undefined if it is off or its state is unknown. */
export async function firewallOf(world: Pick<World, 'platform' | 'ask'>): Promise<Firewall | undefined> {
  switch (world.platform) {
    case 'linux':
      return (await ufw()) ?? (await firewalld(world));
    case 'darwin':
      return applicationFirewall(world);
    case 'win32':
      return windowsFirewall(world);
    default:
      return undefined;
  }
}

/** Reads from the configuration whether ufw starts with the system, because `ufw status` needs root. */
async function ufw(): Promise<Firewall | undefined> {
  const settings = await readFile('/etc/ufw/ufw.conf', 'utf8').catch(() => '');
  if (!/^ENABLED=yes/m.test(settings)) return undefined;
  return { name: 'the firewall ufw', letIn: (port) => `sudo ufw allow ${port}/tcp` };
}

async function firewalld({ ask }: Pick<World, 'ask'>): Promise<Firewall | undefined> {
  if ((await ask('firewall-cmd', ['--state']))?.trim() !== 'running') return undefined;
  return { name: 'firewalld', letIn: (port) => `sudo firewall-cmd --permanent --add-port=${port}/tcp` };
}

async function applicationFirewall({ ask }: Pick<World, 'ask'>): Promise<Firewall | undefined> {
  const state = await ask('/usr/libexec/ApplicationFirewall/socketfilterfw', ['--getglobalstate']);
  if (!/State = [12]/.test(state ?? '')) return undefined;
  return {
    name: 'the firewall of macOS',
    letIn: () => 'allow incoming connections for node in System Settings, Network, Firewall',
  };
}

async function windowsFirewall({ ask }: Pick<World, 'ask'>): Promise<Firewall | undefined> {
  // The output depends on the language of the system; most languages keep ON.
  const state = await ask('netsh', ['advfirewall', 'show', 'currentprofile', 'state']);
  if (!/\s(?:ON|EIN|ACTIV\S*|ATTIV\S*)\s*$/im.test(state ?? '')) return undefined;
  return {
    name: 'the firewall of Windows',
    letIn: (port) =>
      `netsh advfirewall firewall add rule name=ota-hooks dir=in action=allow protocol=TCP localport=${port}`,
  };
}
