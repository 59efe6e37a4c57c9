import { queryEnvironment } from '../../../project/build/child-environment.ts';
import { programHere } from '../../../project/build/find-program.ts';
import type { Io } from '../../io.ts';

/** Program that opens a URL in the default browser, and its arguments before the URL. */
type Opener = readonly [program: string, ...argv: string[]];

/** Returns the opener of a platform. On Windows, `start` would need a shell. */
export function openerOf(platform: NodeJS.Platform, env: Io['env']): Opener | undefined {
  if (platform === 'win32') return ['rundll32.exe', 'url.dll,FileProtocolHandler'];
  if (platform === 'darwin') return ['open'];
  // Without a desktop, xdg-open would start a text browser on this terminal.
  const hasDesktop = ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => (env[name] ?? '') !== '');
  return hasDesktop ? ['xdg-open'] : undefined;
}

/** Variables that a browser needs to find the user's desktop. Variables with passwords and tokens are excluded. */
const desktopVariables =
  /^(?:(?:XDG|DBUS|KDE|GNOME|GTK|QT|MOZ|WAYLAND|WSL)_\w+|DISPLAY|XAUTHORITY|BROWSER|DESKTOP_SESSION)$/;

/**
 * Opens a URL in the default browser if this command runs on a terminal with a desktop.
 *
 * @returns false if no browser was opened
 */
export async function openBrowser(url: string, io: Io): Promise<boolean> {
  const opener = io.prompt === undefined ? undefined : openerOf(io.platform, io.env);
  if (opener === undefined) return false;
  const [program, ...argv] = opener;
  const path = programHere(program, io);
  if (path === undefined) return false;
  const { execa } = await import('execa');
  const desktop = Object.entries(io.env).filter(([name]) => desktopVariables.test(name));
  const opening = execa(path, [...argv, url], {
    cwd: io.home,
    env: { ...Object.fromEntries(desktop), ...queryEnvironment(io.env, io.platform) },
    extendEnv: false,
    stdio: 'ignore',
    // The browser stays open when this command ends.
    detached: true,
    cleanup: false,
    reject: false,
  });
  opening.unref();
  return opening.pid !== undefined;
}
