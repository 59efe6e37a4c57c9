/** platformio.ini files in common styles; `»…«` marks the text that `init` inserts. */
export const hook = 'pre:node_modules/ota-hooks/hooks/platformio.py';

export interface IniCase {
  readonly name: string;
  readonly after: string;
}

export const iniCases: readonly IniCase[] = [
  {
    name: 'one environment, as `pio project init` writes it',
    after: `; PlatformIO Project Configuration File
;
;   Build options: build flags, source filter

[env:d1_mini]
platform = espressif8266
board = d1_mini
framework = arduino
»extra_scripts = ${hook}
«`,
  },
  {
    name: 'no line end at the end, and no blanks around the equals sign',
    after: `[env:d1]
platform=espressif8266
board=d1_mini»
extra_scripts=${hook}«`,
  },
  {
    name: 'a section that all share',
    after: `[platformio]
default_envs = d1

[env]
framework = arduino   ; for all
»extra_scripts = ${hook}
«
; the small one
[env:d1]
platform = espressif8266
board = d1_mini

[env:node]
platform = espressif8266
board = nodemcuv2
`,
  },
  {
    name: 'an empty section that all share',
    after: `[env]
»extra_scripts = ${hook}
«[env:d1]
platform = espressif8266
[env:node]
platform = espressif8266
`,
  },
  {
    name: 'several environments and nothing shared',
    after: `[env:d1]
platform = espressif8266
[env:node]
platform = espressif8266
»
[env]
extra_scripts = ${hook}
«`,
  },
  {
    name: 'a list with one script',
    after: `[env:d1]
platform = espressif8266
extra_scripts = post:tools/size.py», ${hook}« ; sizes
board = d1_mini
`,
  },
  {
    name: 'a list in one line',
    after: `[env:d1]
platform = espressif8266
extra_scripts = pre:a.py, post:b.py», ${hook}«
`,
  },
  {
    name: 'a list of lines, with comments inside and behind',
    after: `[env:d1]
platform = espressif8266
extra_scripts =
	; the version comes first
	pre:version.py  # always
	# post:unused.py
	post:size.py
»	${hook}
«	; nothing more
board = d1_mini
`,
  },
  {
    name: 'an empty list',
    after: `[env:d1]
platform = espressif8266
extra_scripts =» ${hook}«
board = d1_mini
`,
  },
  {
    name: 'an environment with a list of its own beside the shared one',
    after: `[env]
platform = espressif8266
extra_scripts = pre:a.py», ${hook}«
[env:d1]
board = d1_mini
[env:node]
board = nodemcuv2
extra_scripts = post:b.py», ${hook}«
`,
  },
  {
    name: 'a list that takes over another one',
    after: `[env]
platform = espressif8266
extra_scripts =
  pre:a.py
»  ${hook}
«
[env:d1]
extra_scripts =
  \${env.extra_scripts}
  post:b.py
`,
  },
  {
    name: 'a list in a section that is extended',
    after: `[base]
platform = espressif8266
extra_scripts = pre:a.py», ${hook}«
[env:d1]
extends = base
`,
  },
  {
    name: 'a section that is extended, without a list',
    after: `[base]
platform = espressif8266
[env:d1]
extends = base
»extra_scripts = ${hook}
«`,
  },
  {
    name: 'environments for other chips have lists of their own, which stay as they are',
    after: `[env:esp32]
platform = espressif32
extra_scripts = post:esp32.py
[env:d1]
platform = https://github.com/platformio/platform-espressif8266.git
»extra_scripts = ${hook}
«`,
  },
  {
    name: 'line ends of Windows',
    after: `[env:d1]\r\nplatform = espressif8266\r\nextra_scripts =\r\n  pre:a.py\r\n»  ${hook}\r\n«board = d1_mini\r\n`,
  },
  {
    name: 'names in capitals, colons, and an indented section',
    after: `  [env:D1]
  Platform : espressif8266
  Extra_Scripts : pre:a.py», ${hook}«
`,
  },
  {
    name: 'a list that names its scripts through an option of another name',
    after: `[common]
scripts = pre:a.py
[env:d1]
platform = espressif8266
extra_scripts =
  \${common.scripts}
»  ${hook}
«`,
  },
  {
    name: 'umlauts, and a value that holds a semicolon',
    after: `[env:tür]
platform = espressif8266
build_flags = -DNAME=\\"Tür;Tor\\"
»extra_scripts = ${hook}
«`,
  },
  { name: 'it is there already', after: `[env:d1]\nplatform = espressif8266\nextra_scripts = ${hook}\n` },
  {
    name: 'it is there already, by another path and among others',
    after:
      '[env]\nplatform = espressif8266\nextra_scripts =\n  pre:a.py\n  pre:../tools/ota-hooks/hooks/platformio.py\n[env:d1]\nboard = d1_mini\n',
  },
  { name: 'no environment at all', after: '[platformio]\ndescription = empty\n' },
];

/** The text without the hook line. */
export function before({ after }: IniCase): string {
  return after.replaceAll(/»[^«]*«/g, '');
}

export function withHook({ after }: IniCase): string {
  return after.replaceAll(/[»«]/g, '');
}
