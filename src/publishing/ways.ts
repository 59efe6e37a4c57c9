import type { Destination } from './destination.ts';
import type { PublishWay, ShowSending } from './publication.ts';

export interface WayContext {
  readonly signal: AbortSignal;
  readonly showSending: ShowSending;
}

type Opener<Kind> = (destination: Extract<Destination, { kind: Kind }>, context: WayContext) => Promise<PublishWay>;

/** Every place that builds can be published to: a folder beside this file, a kind of destination, and a line here. */
const ways = {
  server: async ({ url, token, ca }, context) =>
    (await import('./server/publish-to-server.ts')).serverWay({ url, token, ca, ...context }),
  folder: async ({ path }) => (await import('./folder/publish-to-folder.ts')).folderWay(path),
} satisfies { [Kind in Destination['kind']]: Opener<Kind> };

/** @returns what publishes to a destination */
export function openWay(destination: Destination, context: WayContext): Promise<PublishWay> {
  switch (destination.kind) {
    case 'server':
      return ways.server(destination, context);
    case 'folder':
      return ways.folder(destination);
  }
}
