/** platformio.ini files in common styles; `»…«` marks the text that `init` inserts. */
export const hook = 'pre:node_modules/ota-hooks/hooks/platformio.py';

export interface IniCase {
  readonly name: string;
  readonly after: string;
}

export const iniCases: readonly IniCase[] = [
  {
    name: 'one environment, as created by `pio project init`',
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
    name: 'no final line break and no spaces around the equals sign',
    after: `[env:d1]
platform=espressif8266
board=d1_mini»
extra_scripts=${hook}«`,
  },
  {
    name: 'a section shared by all environments',
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
    name: 'an empty shared section',
    after: `[env]
»extra_scripts = ${hook}
«[env:d1]
platform = espressif8266
[env:node]
platform = espressif8266
`,
  },
  {
    name: 'several environments without a shared section',
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
    name: 'a list on one line',
    after: `[env:d1]
platform = espressif8266
extra_scripts = pre:a.py, post:b.py», ${hook}«
`,
  },
  {
    name: 'a list on several lines, with comments between and after the items',
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
    name: 'an environment with its own list in addition to the shared list',
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
    name: 'a list that includes a different list',
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
    name: 'a list in an extended section',
    after: `[base]
platform = espressif8266
extra_scripts = pre:a.py», ${hook}«
[env:d1]
extends = base
`,
  },
  {
    name: 'an extended section without a list',
    after: `[base]
platform = espressif8266
[env:d1]
extends = base
»extra_scripts = ${hook}
«`,
  },
  {
    name: 'environments for other chips, whose lists remain unchanged',
    after: `[env:esp32]
platform = espressif32
extra_scripts = post:esp32.py
[env:d1]
platform = https://github.com/platformio/platform-espressif8266.git
»extra_scripts = ${hook}
«`,
  },
  {
    name: 'Windows line endings',
    after: `[env:d1]\r\nplatform = espressif8266\r\nextra_scripts =\r\n  pre:a.py\r\n»  ${hook}\r\n«board = d1_mini\r\n`,
  },
  {
    name: 'uppercase names, colons and an indented section',
    after: `  [env:D1]
  Platform : espressif8266
  Extra_Scripts : pre:a.py», ${hook}«
`,
  },
  {
    name: 'a list that includes an option with a different name',
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
    name: 'umlauts and a value that contains a semicolon',
    after: `[env:tür]
platform = espressif8266
build_flags = -DNAME=\\"Tür;Tor\\"
»extra_scripts = ${hook}
«`,
  },
  { name: 'an existing hook line', after: `[env:d1]\nplatform = espressif8266\nextra_scripts = ${hook}\n` },
  {
    name: 'a list that is shared with other chips',
    after: `[env]
extra_scripts = pre:a.py
[env:esp32]
platform = espressif32
[env:d1]
platform = espressif8266
»extra_scripts =
  \${env.extra_scripts}
  ${hook}
«`,
  },
  {
    name: 'a base section of the ESP8266 environments, below a list that is shared with other chips',
    after: `[common]
framework = arduino
extra_scripts =
  pre:a.py
  post:b.py
[esp82xx]
extends = common
platform = espressif8266
»extra_scripts =
  \${common.extra_scripts}
  ${hook}
«
[env:native]
platform = native
extra_scripts = pre:native.py
[env:esp32]
extends = common
platform = espressif32
[env:d1]
extends = esp82xx
[env:d2]
extends = esp82xx
`,
  },
  {
    name: 'a list on one line that is shared with other chips',
    after: `[env]
extra_scripts = pre:a.py, post:b.py
[env:esp32]
platform = espressif32
[env:d1]
platform = espressif8266
»extra_scripts =
  \${env.extra_scripts}
  ${hook}
«`,
  },
  {
    name: 'a list on one line in a section of another kind, which is shared with other chips',
    after: `[common]
extra_scripts = pre:a.py, post:b.py
[env:esp32]
extends = common
platform = espressif32
[env:d1]
extends = common
platform = espressif8266
»extra_scripts =
  pre:a.py
  post:b.py
  ${hook}
«`,
  },
  {
    name: 'an inherited list whose references depend on the section',
    after: `[env]
extra_scripts = pre:\${this.kind}.py
[env:esp32]
platform = espressif32
kind = other
[env:d1]
platform = espressif8266
kind = this
»extra_scripts =
  pre:\${this.kind}.py
  ${hook}
«`,
  },
  { name: 'no environments', after: '[platformio]\ndescription = empty\n' },
];

/** The text without the hook line. */
export function before({ after }: IniCase): string {
  return after.replaceAll(/»[^«]*«/g, '');
}

export function withHook({ after }: IniCase): string {
  return after.replaceAll(/[»«]/g, '');
}
