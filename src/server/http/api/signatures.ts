import type { ServerParts } from '../../parts.ts';
import { listReceipts, recordEntries } from '../../services/signatures.ts';
import { signatureOperations } from './operations/signatures.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

export function signatureRoutes(parts: ServerParts): readonly Route[] {
  return [
    route(signatureOperations.record, async ({ params, token, body }) => {
      const project = requireProject(parts, params.project);
      const { entries } = await body();
      return recordEntries(parts, { project, entries, by: token.id });
    }),

    route(signatureOperations.receipts, async ({ params, query }) =>
      listReceipts(parts, requireProject(parts, params.project), query),
    ),
  ];
}
