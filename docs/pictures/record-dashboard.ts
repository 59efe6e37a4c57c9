/**
 * Writes docs/pictures/dashboard-*.png, screenshots from the browser test. Requires Debian with Chromium (`npm run test:e2e` installs
 * it).
 */
import { execa } from 'execa';

const test = 'test/e2e/dashboard/dashboard.test.ts';
const argv = ['run', 'test:e2e', '--', test, '--match', 'publish, update in stages*'];
await execa('npm', argv, { env: { DASHBOARD_PICTURES: 'yes' }, stdio: 'inherit' });
