import { textOrNothing } from '../../files/read.ts';
import type { CheckContext } from './context.ts';

/** Firewall that is active on this machine. */
export interface Firewall {
  readonly name: string;
  /** Returns an instruction for allowing device connections to a TCP port. Begins with an imperative. */
  howToAllow(port: number): string;
}

/** Queries the standard firewall of the operating system. Returns undefined if the firewall is off or its state is unknown. */
export async function firewallOf(context: Pick<CheckContext, 'platform' | 'query'>): Promise<Firewall | undefined> {
  switch (context.platform) {
    case 'linux':
      return (await ufw()) ?? (await firewalld(context));
    case 'darwin':
      return applicationFirewall(context);
    case 'win32':
      return windowsFirewall(context);
    default:
      return undefined;
  }
}

/** Reads from ufw's configuration whether ufw starts with the system. `ufw status` is not used, because it requires root. */
async function ufw(): Promise<Firewall | undefined> {
  const settings = await textOrNothing('/etc/ufw/ufw.conf');
  if (!/^ENABLED=yes/m.test(settings)) return undefined;
  return { name: 'The firewall ufw', howToAllow: (port) => `Run sudo ufw allow ${port}/tcp` };
}

async function firewalld({ query }: Pick<CheckContext, 'query'>): Promise<Firewall | undefined> {
  if ((await query('firewall-cmd', ['--state']))?.trim() !== 'running') return undefined;
  return {
    name: 'The firewall firewalld',
    howToAllow: (port) => `Run sudo firewall-cmd --permanent --add-port=${port}/tcp, then sudo firewall-cmd --reload`,
  };
}

async function applicationFirewall({ query }: Pick<CheckContext, 'query'>): Promise<Firewall | undefined> {
  const state = await query('/usr/libexec/ApplicationFirewall/socketfilterfw', ['--getglobalstate']);
  if (!/State = [12]/.test(state ?? '')) return undefined;
  return {
    name: 'The macOS firewall',
    howToAllow: () => 'Allow incoming connections for node in System Settings > Network > Firewall',
  };
}

async function windowsFirewall({ query }: Pick<CheckContext, 'query'>): Promise<Firewall | undefined> {
  // The output is localized, but most languages keep the word ON.
  const state = await query('netsh', ['advfirewall', 'show', 'currentprofile', 'state']);
  if (!/\s(?:ON|EIN|ACTIV\S*|ATTIV\S*)\s*$/im.test(state ?? '')) return undefined;
  return {
    name: 'The Windows firewall',
    howToAllow: (port) =>
      `Run as administrator: netsh advfirewall firewall add rule name=ota-hooks dir=in action=allow protocol=TCP localport=${port}`,
  };
}
