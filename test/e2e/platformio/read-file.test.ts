/** The PlatformIO hook reads only regular files, because a project can name any path as a key or a configuration. */
import { truncateSync } from 'node:fs';
import test from 'ava';
import { execa } from 'execa';
import { testFolder } from '../../support/test-folder.ts';
import { hookParts } from './project.ts';

const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from platformio_hook.files import file_digest, read_json
print(json.dumps([[file_digest(path), read_json(path)] for path in sys.argv[2:]]))
`;

test('the hook rejects device files, pipes and files that are too large', async (t) => {
  const folder = await testFolder(t, { 'good.json': '{"a": 1}', huge: '' });
  truncateSync(folder.at('huge'), 1024 ** 3);
  await execa('mkfifo', [folder.at('fifo')]);
  const paths = [folder.at('good.json'), '/dev/zero', folder.at('fifo'), folder.at('huge'), folder.at('gone')];
  const { stdout } = await execa('python3', ['-B', '-c', program, hookParts, ...paths]);
  const [good, ...rest] = JSON.parse(stdout);
  t.deepEqual(good[1], { a: 1 });
  t.is(good[0].length, 64);
  t.deepEqual(rest, [...Array(3).fill(['OSError', null]), ['FileNotFoundError', null]]);
});
