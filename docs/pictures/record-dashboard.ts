/** Writes docs/pictures/dashboard-*.png: what the browser test sees. Debian, with Chromium (`npm run test:e2e` installs it). */
import { execa } from 'execa';

const test = 'test/e2e/dashboard/dashboard.test.ts';
const argv = ['ava', '--config', 'ava.e2e.config.js', test, '--match', 'publish, update in stages*'];
await execa('npx', argv, { env: { DASHBOARD_PICTURES: 'yes' }, stdio: 'inherit' });
