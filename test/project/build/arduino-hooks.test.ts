import test from 'ava';
import fc from 'fast-check';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { arduinoCliOptions } from '../../../src/project/build/arduino-cli.ts';
import {
  type ArduinoHooks,
  arduinoHookProperties,
  arduinoPublishProperty,
  arduinoUploadProperty,
  launcherProgram,
  nodeProgram,
  quoteWord,
} from '../../../src/project/build/arduino-hooks.ts';

const hooks: ArduinoHooks = { program: nodeProgram('/usr/bin/node', '/opt/ota hooks/dist/cli.js') };

/** Splits a recipe like arduino-cli; the end-to-end tests use the real program. */
function splitRecipe(recipe: string): string[] {
  const words: string[] = [];
  let quoted: { mark: string; text: string } | undefined;
  for (const part of recipe.split(' ')) {
    if (quoted === undefined && !/^["']/.test(part)) {
      if (part.trim() !== '') words.push(part);
      continue;
    }
    const mark: string = quoted?.mark ?? part.charAt(0);
    const rest = quoted === undefined ? part.slice(1) : part;
    const before = quoted === undefined ? '' : `${quoted.text} `;
    quoted = { mark, text: before + rest };
    if (!rest.endsWith(mark)) continue;
    const word = quoted.text.slice(0, -1);
    if (word.trim() !== '') words.push(word);
    quoted = undefined;
  }
  return words;
}

test('arduinoHookProperties sets two core properties that run header and pack', (t) => {
  const properties = arduinoHookProperties({
    ...hooks,
    configPath: '/home/jo/türen/ota.config.json',
    packOptions: ['--unsigned'],
  });

  t.deepEqual([...properties.keys()], ['recipe.hooks.sketch.prebuild.pattern', 'recipe.objcopy.hex.2.pattern']);
  t.deepEqual([...properties.values()].map(splitRecipe), [
    [
      ...['/usr/bin/node', '/opt/ota hooks/dist/cli.js', 'header'],
      ...['--config', '/home/jo/türen/ota.config.json', '--arduino-build', '{build.path}'],
    ],
    [
      ...['/usr/bin/node', '/opt/ota hooks/dist/cli.js', 'pack'],
      ...['--config', '/home/jo/türen/ota.config.json', '--unsigned', '--arduino-build', '{build.path}'],
    ],
  ]);
});

test('arduinoPublishProperty adds a separate step after signing for the same project', (t) => {
  const [name, recipe] = arduinoPublishProperty({
    ...hooks,
    sourceDir: '/src/door',
    configPath: '/src/ota.config.json',
  });
  t.is(name, 'recipe.objcopy.hex.4.pattern');
  t.deepEqual(splitRecipe(recipe), [
    ...['/usr/bin/node', '/opt/ota hooks/dist/cli.js', 'publish', '--after-build'],
    ...['--source', '/src/door', '--config', '/src/ota.config.json', '--arduino-build', '{build.path}'],
  ]);
  t.false(arduinoCliOptions(hooks, 'aa11').join().includes('hex.4'));
  t.true(arduinoCliOptions(hooks, 'aa11', true).join().includes(`${name}=`));
});

test('arduinoUploadProperty passes the selected port and the password from the prompt', (t) => {
  const [name, recipe] = arduinoUploadProperty({ ...hooks, configPath: '/home/jo/türen/ota.config.json' });
  t.is(name, 'tools.esptool.upload.network_pattern');
  t.deepEqual(splitRecipe(recipe), [
    ...['/usr/bin/node', '/opt/ota hooks/dist/cli.js', 'upload'],
    ...['--method', 'espota', '--config', '/home/jo/türen/ota.config.json'],
    ...['--host', '{serial.port}', '--port', '{network.port}', '--arduino-password={network.password}'],
    ...['--arduino-build', '{build.path}'],
  ]);
});

test('recipes keep an expanded value with spaces as one word', (t) => {
  const recipe = [...arduinoHookProperties(hooks).values()].join('\n');
  const filled = recipe.replaceAll('{build.path}', '/tmp/a b/ü c');

  t.true(splitRecipe(filled).includes('/tmp/a b/ü c'));
});

test('recipes keep the backslashes of Windows paths', (t) => {
  const nodePath = 'C:\\Program Files\\nodejs\\node.exe';
  const cliPath = 'C:\\Users\\jo doe\\AppData\\Roaming\\npm\\node_modules\\ota-hooks\\dist\\cli.js';
  const sourceDir = 'D:\\sketches\\door\\';
  const recipes = [...arduinoHookProperties({ program: nodeProgram(nodePath, cliPath), sourceDir }).values()];

  t.is(recipes.length, 2);
  for (const recipe of recipes) {
    const words = splitRecipe(recipe.replaceAll('{build.path}', 'C:\\Users\\jo doe\\AppData\\Local\\Temp\\arduino'));
    t.deepEqual(words.slice(0, 2), [nodePath, cliPath]);
    t.is(words[words.indexOf('--source') + 1], sourceDir);
    t.is(words.at(-1), 'C:\\Users\\jo doe\\AppData\\Local\\Temp\\arduino');
  }
});

test('launcherProgram keeps a folder with spaces as one argument of the launcher', (t) => {
  const program = launcherProgram('"{runtime.tools.python3.path}/python3"', 'C:\\Users\\jo doe\\ota-hooks\\arduino');
  t.deepEqual(splitRecipe(`${program} header`), [
    ...['{runtime.tools.python3.path}/python3', '-I', '-S', '{runtime.platform.path}/ota-hooks.py'],
    ...['C:\\Users\\jo doe\\ota-hooks\\arduino', 'header'],
  ]);
});

test('recipes use the configured source folder instead of the sketch folder', (t) => {
  const recipe = [...arduinoHookProperties({ ...hooks, sourceDir: '/src/door' }).values()].join('\n');

  t.true(splitRecipe(recipe).includes('/src/door'));
});

test('arduinoCliOptions separates cached cores by key', (t) => {
  const options = [
    arduinoCliOptions(hooks, 'aa11'),
    arduinoCliOptions(hooks, 'bb22'),
    arduinoCliOptions(hooks, undefined),
  ];
  const salts = options.map((it) => it.filter((option) => option.startsWith('compiler.optimization_flags=')));

  t.deepEqual(salts, [
    ['compiler.optimization_flags=-DOTA_HOOKS_KEY=aa11'],
    ['compiler.optimization_flags=-DOTA_HOOKS_KEY=bb22'],
    ['compiler.optimization_flags=-DOTA_HOOKS_KEY=none'],
  ]);
});

test('arduinoCliOptions returns three build properties', (t) => {
  const options = arduinoCliOptions(hooks, 'aa11');

  t.is(options.length, 6);
  t.true(options.every((option, index) => (index % 2 === 0) === (option === '--build-property')));
});

test('quoteWord preserves any argument through a recipe', (t) => {
  const part = fc.constantFrom('a', 'ü', ' ', '"', "'", '\\', '{x}', '=', ',', '#', '%', '$', '`', ';', '&');
  const word = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const isImpossible = (it: string) => it.trim() === '' || (it.includes('" ') && it.includes("' "));
      fc.pre(!words.some(isImpossible));
      t.deepEqual(splitRecipe(words.map(quoteWord).join(' ')), words);
    }),
  );
});

test('quoteWord rejects words that cannot be quoted, with a hint', (t) => {
  for (const word of ['', ' ', `a" b' c`]) {
    const error = t.throws(() => quoteWord(word), { instanceOf: OtaError });
    t.is(error?.exitCode, 2);
    t.regex(error?.hint ?? '', /Rename the folder/);
  }
});
