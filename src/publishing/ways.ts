import type { Destination } from './destination.ts';
import type { PublishWay, ShowSending } from './publication.ts';

export interface WayContext {
  readonly signal: AbortSignal;
  readonly showSending: ShowSending;
}

type Opener<Kind> = (destination: Extract<Destination, { kind: Kind }>, context: WayContext) => Promise<PublishWay>;

/** All kinds of destinations. Each has a folder beside this file, a kind in `Destination` and an entry here. */
const ways = {
  server: async ({ url, token, ca }, context) =>
    (await import('./server/publish-to-server.ts')).serverWay({ url, token, ca, ...context }),
  folder: async ({ path }) => (await import('./folder/publish-to-folder.ts')).folderWay(path),
} satisfies { [Kind in Destination['kind']]: Opener<Kind> };

/** Returns the publisher for a destination. */
export function openWay(destination: Destination, context: WayContext): Promise<PublishWay> {
  switch (destination.kind) {
    case 'server':
      return ways.server(destination, context);
    case 'folder':
      return ways.folder(destination);
  }
}
