import { fileURLToPath } from 'node:url';
import { roles } from '../src/api/release.ts';
import { type Action, extentOf, permissions } from '../src/server/auth/permissions.ts';

/** Path of docs/server.md. */
export const serverPagePath = fileURLToPath(new URL('server.md', import.meta.url));

const start = '<!-- Generated from src/server/auth/permissions.ts by `npm run docs`; do not edit the table. -->';
const end = '<!-- End of the generated table. -->';

const extentWords = {
  always: 'yes',
  'own-channels': "for the token's channels",
  'opened-rules': 'rules that the project permits',
} as const satisfies Record<NonNullable<ReturnType<typeof extentOf>>, string>;

/** Returns docs/server.md with the current table of roles and actions. */
export function withPermissionTable(page: string): string {
  const [before, rest = ''] = page.split(start);
  const [, after] = rest.split(end);
  return [before, start, `\n\n${permissionTable()}\n\n`, end, after].join('');
}

function permissionTable(): string {
  // The table has exactly these keys.
  const actions = Object.keys(permissions) as Action[];
  return [
    `| action | ${roles.map((role) => `\`${role}\``).join(' | ')} |`,
    `| --- |${' --- |'.repeat(roles.length)}`,
    ...actions.map((action) => {
      const cells = roles.map((role) => {
        const extent = extentOf({ roles: [role] }, action);
        return extent === undefined ? '' : extentWords[extent];
      });
      return `| ${permissions[action].what} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}
