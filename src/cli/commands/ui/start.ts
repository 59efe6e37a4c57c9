import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { sourceFolder } from '../../shared/source-folder.ts';
import { storeDevices } from '../../shared/stored-devices.ts';
import { discoveryNetworks, openDiscovery } from './discovery.ts';
import { LocalFleet } from './local-fleet.ts';
import type { UiOptions } from './options.ts';
import { PageAccess } from './page/access.ts';
import { pageApp } from './page/app.tsx';
import { openPageServer } from './page/page-server.ts';
import { readProject } from './project-state.ts';

/** Running page. */
interface RunningPage {
  /** Complete URL, with the token. */
  readonly url: string;
  /** URL with a code that is valid for one visit. */
  readonly urlOnce: string;
  close(): Promise<void>;
}

/**
 * Reads the project, starts to listen for devices and serves the page.
 *
 * @throws OtaError PAGE_LISTEN_FAILED, and errors of the configuration
 */
export async function startPage(
  file: string | undefined,
  options: UiOptions,
  io: Io,
  report: Report,
): Promise<RunningPage> {
  const source = await sourceFolder(options.source, file, io);
  // The messages about the project are printed once. Later, the page reads the configuration again.
  const settings = await readProjectSettings({ source, config: options.config }, io, report, options.source);
  const { environment, config } = options;
  const discovery = await openDiscovery(discoveryNetworks(options.interface, settings.config));
  const fleet = new LocalFleet({
    readProject: () => readProject({ file, environment, source, config }, io),
    discovery,
    io,
    report,
  });
  const access = new PageAccess();
  try {
    const server = await openPageServer(pageApp(fleet, access), options.port);
    return {
      url: `${server.origin}/?token=${access.token}`,
      urlOnce: `${server.origin}/?once=${access.makeCode()}`,
      close: async () => {
        await Promise.all([server.close(), fleet.close()]);
        await storeDevices(fleet.seenDevices(), settings);
      },
    };
  } catch (error) {
    await fleet.close();
    throw error;
  }
}
