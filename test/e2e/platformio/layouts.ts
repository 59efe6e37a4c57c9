/** Structures of platformio.ini in published projects, rebuilt with short contents. */

export interface Layout {
  /** Project with this structure. */
  readonly name: string;
  /** Configuration files of PlatformIO, by path below the project folder. */
  readonly files: Readonly<Record<string, string>>;
  /** Names of the environments that build ESP8266 firmware. */
  readonly esp8266: readonly string[];
  /** ESP8266 environment that the test builds. Its name is the same in all layouts, so that the builds share compiled files. */
  readonly build: string;
  /** Scripts of the project that this build must still run. */
  readonly scripts?: readonly string[];
}

/** Platform that is installed from this address. */
export const forkAddress = 'https://example.com/platforms/door-fork.zip';

const board = 'board = d1_mini\nframework = arduino\n';
const esp = `platform = espressif8266\n${board}`;
const esp32 = 'platform = espressif32\nboard = esp32dev\nframework = arduino\n';

function named(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function environments(names: readonly string[], lines: (name: string) => string): string {
  return names.map((name) => `[env:${name}]\n${lines(name)}\n`).join('');
}

const tasmota = ['d1', ...named('tasmota-', 20)];
const tasmota32 = ['tasmota32_base', ...named('tasmota32-', 12)];
const espEasy = ['d1', ...named('normal_', 29)];
const espEasy32 = named('max_esp32_', 23);
const espurna = ['d1', ...named('board-', 365)];
const expressRx = ['Unified_ESP8285_RX_via_UART', 'd1', 'Unified_ESP8285_RX_via_Passthrough'];

export const layouts: readonly Layout[] = [
  {
    name: 'Tasmota: 34 environments in extra_configs, lists of [env] by reference, another list for the ESP32',
    files: {
      'platformio.ini': `[platformio]
src_dir = src
extra_configs = platformio_env.ini
                platformio_env32.ini
                platformio_user.ini
                platformio_override.ini
default_envs =
                d1
[common]
platform = espressif8266
board = d1_mini
[env]
framework = arduino
platform = \${common.platform}
board = \${common.board}
extra_scripts = \${esp_defaults.extra_scripts}
[esp_defaults]
extra_scripts = post:pio/strip-floats.py
                post:pio/name-firmware.py
[esp32_defaults]
extra_scripts = pre:pio/add_c_flags.py
                \${esp_defaults.extra_scripts}
`,
      'platformio_env.ini': environments(tasmota, () => 'build_flags = -DNAME=1'),
      'platformio_env32.ini': environments(tasmota32, (name) =>
        name === 'tasmota32_base'
          ? `platform = espressif32\nboard = esp32dev\nextra_scripts = \${esp32_defaults.extra_scripts}`
          : 'extends = env:tasmota32_base',
      ),
    },
    esp8266: tasmota,
    build: 'd1',
    scripts: ['pio/strip-floats.py', 'pio/name-firmware.py'],
  },
  {
    name: 'ESPEasy: 53 environments, chains of base sections in six files',
    files: {
      'platformio.ini': `[platformio]
extra_configs =
  platformio_core_defs.ini
  platformio_esp82xx_base.ini
  platformio_esp82xx_envs.ini
  platformio_esp32_envs.ini
[common]
board_build.f_cpu = 80000000L
framework = arduino
[env]
extends = common
`,
      'platformio_core_defs.ini': `[core_2_7_4]
platform = espressif8266
[core_esp32]
platform = espressif32
[extra_scripts_default]
extra_scripts = pre:tools/generate.py
  pre:tools/define.py
[extra_scripts_esp8266]
extra_scripts = \${extra_scripts_default.extra_scripts}
  post:tools/post_esp8266.py
`,
      'platformio_esp82xx_base.ini': `[regular_platform]
platform = \${core_2_7_4.platform}
[esp82xx_common]
extra_scripts             = pre:tools/check.py
                            \${extra_scripts_esp8266.extra_scripts}
[esp8266_4M1M]
extends                   = esp82xx_common
board                     = d1_mini
platform                  = \${regular_platform.platform}
`,
      'platformio_esp82xx_envs.ini': environments(espEasy, () => 'extends = esp8266_4M1M'),
      'platformio_esp32_envs.ini': `[esp32_common]
platform = \${core_esp32.platform}
board = esp32dev
extra_scripts = post:tools/post_esp32.py
  \${extra_scripts_default.extra_scripts}
${environments(espEasy32, () => 'extends = esp32_common')}`,
    },
    esp8266: espEasy,
    build: 'd1',
    scripts: ['tools/check.py', 'tools/generate.py', 'tools/define.py', 'tools/post_esp8266.py'],
  },
  {
    name: 'ExpressLRS: targets in a pattern of extra_configs, a native environment with scripts of its own',
    files: {
      'platformio.ini': `[platformio]
extra_configs =
	targets/common.ini
	targets/unified.ini
[env]
framework = arduino
extra_scripts =
	pre:python/build_flags.py
	pre:python/build_html.py
[env:native]
platform = native
framework =
test_ignore = test_embedded
extra_scripts = python/native_setup.py
`,
      'targets/common.ini': `[env_common_esp32]
platform = espressif32
board = esp32dev
[env_common_esp82xx]
platform = espressif8266
board = d1_mini
extra_scripts =
	\${env.extra_scripts}
	pre:python/build_env_setup.py
`,
      'targets/unified.ini': `[env:Unified_ESP32_TX_via_UART]
extends = env_common_esp32
[env:Unified_ESP32_TX_via_WIFI]
extends = env:Unified_ESP32_TX_via_UART
[env:${expressRx[0]}]
extends = env_common_esp82xx
[env:${expressRx[1]}]
extends = env:${expressRx[0]}
[env:${expressRx[2]}]
extends = env:${expressRx[0]}
`,
    },
    esp8266: expressRx,
    build: 'd1',
    scripts: ['python/build_flags.py', 'python/build_html.py', 'python/build_env_setup.py'],
  },
  {
    name: 'ESPurna: 368 environments on two base environments',
    files: {
      'platformio.ini': `[platformio]
default_envs = esp8266-4m-base
extra_configs = platformio_override.ini
[common]
framework = arduino
platform = espressif8266
board_4m = d1_mini
extra_scripts =
    pre:scripts/espurna_utils.py
    post:scripts/checks.py
[env]
platform = \${common.platform}
framework = \${common.framework}
board = \${common.board_4m}
extra_scripts = \${common.extra_scripts}
[env:esp8266-1m-base]
[env:esp8266-4m-base]
${environments(espurna, (name) => `extends = env:esp8266-${name.endsWith('1') ? '1' : '4'}m-base\nsrc_build_flags = -DNAME=1`)}`,
    },
    esp8266: ['esp8266-1m-base', 'esp8266-4m-base', ...espurna],
    build: 'd1',
    scripts: ['scripts/espurna_utils.py', 'scripts/checks.py'],
  },
  {
    name: 'WLED: one list in [env] for both chips, environments that extend environments, inline comments',
    files: {
      'platformio.ini': `[platformio]
default_envs = nodemcuv2, esp32dev
extra_configs =
  platformio_override.ini
[common]
arduino_core_3_1_2 = espressif8266@4.2.1
platform_default = \${common.arduino_core_3_1_2}
[scripts_defaults]
extra_scripts =
  pre:pio-scripts/set_version.py
  post:pio-scripts/output_bins.py
  post:pio-scripts/validate.py  ;; checks the output
  ; post:pio-scripts/obj-dump.py
# -----
[env]
framework = arduino
extra_scripts = \${scripts_defaults.extra_scripts}
[esp32]
platform = espressif32
[env:nodemcuv2]
board = nodemcuv2
platform = \${common.platform_default}
[env:nodemcuv2_compat]
extends = env:nodemcuv2
[env:esp32dev]
extends = esp32
board = esp32dev
`,
      'platformio_override.ini': '[env:d1]\nextends = env:nodemcuv2\nbuild_flags = -DMINE\n',
    },
    esp8266: ['nodemcuv2', 'nodemcuv2_compat', 'd1'],
    build: 'd1',
    scripts: ['pio-scripts/set_version.py', 'pio-scripts/output_bins.py', 'pio-scripts/validate.py'],
  },
  {
    name: 'OpenMQTTGateway: patterns in extra_configs, three chips, no scripts',
    files: {
      'platformio.ini': `[platformio]
extra_configs =
  tests/*_env.ini
  *_env.ini
[env]
framework = arduino
[com]
esp8266_platform = espressif8266
esp32_platform = espressif32@1.12.2
atmelavr_platform = atmelavr@1.13.0
[env:esp32dev-all]
platform = \${com.esp32_platform}
board = esp32dev
[env:nodemcuv2-all]
platform = \${com.esp8266_platform}
board = nodemcuv2
[env:atmega-all]
platform = \${com.atmelavr_platform}
board = megaatmega2560
`,
      'tests/first_env.ini': `[env:d1]\nplatform = \${com.esp8266_platform}\nboard = d1_mini\n`,
      'prod_env.ini': '[env:prod]\nextends = env:nodemcuv2-all\n',
    },
    esp8266: ['nodemcuv2-all', 'd1', 'prod'],
    build: 'd1',
  },
  {
    name: 'ESPHome: one generated environment with scripts on several lines',
    files: {
      'platformio.ini': `; Auto generated
[platformio]
description = generated
[env:d1]
board = d1_mini
board_build.flash_mode = dout
extra_scripts =
    post:post_build.py
framework = arduino
lib_ldf_mode = chain
platform = platformio/espressif8266@4.2.1
upload_speed = 460800
`,
    },
    esp8266: ['d1'],
    build: 'd1',
    scripts: ['post_build.py'],
  },
  {
    name: 'ESPixelStick: scripts on one line, sections for each chip, a file of the user',
    files: {
      'platformio.ini': `[platformio]
extra_configs = platformio_user.ini
[env]
framework = arduino
extra_scripts = pre:.scripts/optimize.py, .scripts/copy_output.py
[esp8266]
platform = espressif8266
board = d1_mini
[esp32]
platform = espressif32
[env:d1_mini]
extends = esp8266
[env:d1]
extends = esp8266
[env:d1_mini32]
extends = esp32
board = wemos_d1_mini32
`,
    },
    esp8266: ['d1_mini', 'd1'],
    build: 'd1',
    scripts: ['.scripts/optimize.py', '.scripts/copy_output.py'],
  },
  {
    name: 'ESP3D: a list in each environment, two chips',
    files: {
      'platformio.ini': `[platformio]
default_envs = d1
[env]
framework = arduino
[env:esp32dev]
platform = espressif32
board = esp32dev
extra_scripts = platformIO/extra_script.py
[env:d1]
platform = espressif8266
board = d1_mini
extra_scripts = platformIO/extra_script.py
[env:esp8266_spiffs]
platform = espressif8266
board = nodemcuv2
`,
    },
    esp8266: ['d1', 'esp8266_spiffs'],
    build: 'd1',
    scripts: ['platformIO/extra_script.py'],
  },
  {
    name: 'EMS-ESP: a list in [common] by reference, environments for tests on the computer',
    files: {
      'platformio.ini': `[common]
debug_flags =
extra_scripts = pre:scripts/main_script.py
[env]
framework = arduino
[env:esp8266]
${esp}extra_scripts = \${common.extra_scripts}
[env:d1]
${esp}build_flags = \${common.debug_flags}
extra_scripts =
  \${common.extra_scripts}
  post:scripts/refresh.py
[env:standalone]
platform = native
framework =
extra_scripts = \${common.extra_scripts}
`,
    },
    esp8266: ['esp8266', 'd1'],
    build: 'd1',
    scripts: ['scripts/main_script.py', 'scripts/refresh.py'],
  },
  {
    name: 'Homie: several boards without shared sections',
    files: {
      'platformio.ini': environments(['nodemcuv2', 'd1'], (name) =>
        name === 'd1' ? esp : esp.replace('d1_mini', name),
      ),
    },
    esp8266: ['d1', 'nodemcuv2'],
    build: 'd1',
  },
  {
    name: 'HeishaMon: one environment, comments, and an upload section',
    files: {
      'platformio.ini': `; Please visit documentation for the other options and examples
[platformio]
src_dir = src
[env:d1]
platform = espressif8266@4.2.1
board = d1_mini
framework = arduino
board_build.filesystem = littlefs
upload_speed = 921600
;upload_protocol = espota
;upload_port = 192.168.1.5
`,
    },
    esp8266: ['d1'],
    build: 'd1',
  },
  {
    name: 'an upload environment that extends the build environment',
    files: {
      'platformio.ini': `[env:door]
${esp}extra_scripts = pre:version.py
[env:d1]
extends = env:door
upload_protocol = espota
upload_port = door.local
`,
    },
    esp8266: ['door', 'd1'],
    build: 'd1',
    scripts: ['version.py'],
  },
  {
    name: 'the hook by hand in one environment, in a comment, and in a section that no environment uses',
    files: {
      'platformio.ini': `[unused]
extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py
[env:d3]
${esp}extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py
[env:d2]
${esp}; extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py
[env:d1]
extends = unused
${esp}extra_scripts = pre:own.py
`,
    },
    esp8266: ['d1', 'd2', 'd3'],
    build: 'd1',
    scripts: ['own.py'],
  },
  {
    name: "another tool's hooks/platformio.py",
    files: { 'platformio.ini': `[env:d1]\n${esp}extra_scripts = pre:tools/hooks/platformio.py\n` },
    esp8266: ['d1'],
    build: 'd1',
    scripts: ['tools/hooks/platformio.py'],
  },
  {
    name: 'Windows line endings, tabs and umlauts',
    files: {
      'platformio.ini': `; Gerät für die Tür\r\n[env:d1]\r\n${esp.replaceAll('\n', '\r\n')}extra_scripts =\r\n\tpre:zähler.py\r\n[env:esp32]\r\nplatform\t=\tespressif32\r\n`,
    },
    esp8266: ['d1'],
    build: 'd1',
    scripts: ['zähler.py'],
  },
  {
    name: "a fork of the platform, known by the MCU of the project's board",
    files: {
      'platformio.ini': `[env:d1]
platform = ${forkAddress}
board = door
framework = arduino
[env:lamp]
${esp32}`,
    },
    esp8266: ['d1'],
    build: 'd1',
  },
  {
    name: 'references that depend on the environment, below a list that both chips use',
    files: {
      'platformio.ini': `[env]
framework = arduino
kind = none
extra_scripts = pre:scripts/\${this.kind}.py
[env:d1]
kind = small
platform = espressif8266
board = d1_mini
[env:esp32]
kind = large
platform = espressif32
board = esp32dev
`,
    },
    esp8266: ['d1'],
    build: 'd1',
    scripts: ['scripts/small.py'],
  },
  {
    name: 'an override file that replaces the list of an environment',
    files: {
      'platformio.ini': `[platformio]
extra_configs = platformio_override.ini
[env]
${esp}extra_scripts = pre:shared.py
[env:d2]
[env:d1]
`,
      'platformio_override.ini': `[env:d2]\nextra_scripts =\n  \${env.extra_scripts}\n  post:mine.py\n[env:d1]\nextra_scripts = post:mine.py\n`,
    },
    esp8266: ['d1', 'd2'],
    build: 'd1',
    scripts: ['mine.py'],
  },
  {
    name: 'a mixed project whose ESP32 environment extends the ESP8266 settings',
    files: {
      'platformio.ini': `[base]
${esp}extra_scripts = pre:shared.py
[env:d1]
extends = base
[env:esp32]
extends = base
platform = espressif32
board = esp32dev
`,
    },
    esp8266: ['d1'],
    build: 'd1',
    scripts: ['shared.py'],
  },
];
