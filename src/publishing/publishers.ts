import type { Destination } from './destination.ts';
import type { Publisher, ShowUpload } from './publication.ts';

export interface PublisherContext {
  readonly signal: AbortSignal;
  readonly showUpload: ShowUpload;
}

type Opener<Kind> = (
  destination: Extract<Destination, { kind: Kind }>,
  context: PublisherContext,
) => Promise<Publisher>;

/** Publishers by destination kind. To add a kind, create a folder beside this file and add the kind to `Destination` and to this table. */
const publishers = {
  server: async ({ url, token, ca }, context) =>
    (await import('./server/publish-to-server.ts')).serverPublisher({ url, token, ca, ...context }),
  folder: async ({ path, namedBy }) => (await import('./folder/publish-to-folder.ts')).folderPublisher(path, namedBy),
} satisfies { [Kind in Destination['kind']]: Opener<Kind> };

/** Returns the publisher for a destination. */
export function openPublisher(destination: Destination, context: PublisherContext): Promise<Publisher> {
  switch (destination.kind) {
    case 'server':
      return publishers.server(destination, context);
    case 'folder':
      return publishers.folder(destination);
  }
}
