import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const testCore = fileURLToPath(new URL('../esp8266', import.meta.url));
const stubs = fileURLToPath(new URL('./stubs', import.meta.url));

/** Copies the test core to a folder and adds all functions that the templates call. */
export async function copyFullCore(folder: string): Promise<void> {
  await cp(testCore, folder, { recursive: true });
  await completeCore(folder);
}

/** Adds all functions that the templates call to a copy of the test core. */
export async function completeCore(core: string): Promise<void> {
  await cp(stubs, core, { recursive: true });
  for (const { header, before, methods } of additions) {
    const path = join(core, header);
    const text = await readFile(path, 'utf8');
    if (!text.includes(before)) throw new Error(`${header} of the test core has no line ${JSON.stringify(before)}`);
    await writeFile(
      path,
      text.replace(before, () => `${methods.join('\n')}\n${before}`),
    );
  }
}

/** Methods missing from the test core, declared as upstream declares them. */
const additions = [
  {
    // cores/esp8266/Esp.h
    header: 'cores/esp8266/Esp.h',
    before: '  uint32_t getFreeHeap();',
    methods: [
      '  String getSketchMD5() { return String("00000000000000000000000000000000"); }',
      '  uint32_t getMaxFreeBlockSize() { return 0; }',
    ],
  },
  {
    // cores/esp8266/Arduino.h
    header: 'cores/esp8266/Esp.h',
    before: 'class EspClass {',
    methods: ['inline void configTime(const char *, const char *, const char * = nullptr, const char * = nullptr) {}'],
  },
  {
    // cores/esp8266/WString.h
    header: 'cores/esp8266/WString.h',
    before: '  const char *c_str() const',
    methods: [
      '  void trim() {}',
      '  void replace(const String &, const String &) {}',
      '  bool startsWith(const String &) const { return false; }',
      '  String substring(unsigned int) const { return String(); }',
    ],
  },
  {
    // cores/esp8266/Stream.h
    header: 'cores/esp8266/Print.h',
    before: '  virtual int available() = 0;',
    methods: ['  String readStringUntil(char) { return String(); }'],
  },
  {
    // cores/esp8266/Updater.h; the callbacks since core 3.1.0 (esp8266/Arduino#8653)
    header: 'cores/esp8266/Updater.h',
    before: '  bool end();',
    methods: [
      '  using THandlerFunction_Progress = std::function<void(size_t, size_t)>;',
      '  using THandlerFunction_Error = std::function<void(uint8_t)>;',
      '  using THandlerFunction = std::function<void()>;',
      '  UpdaterClass &onStart(THandlerFunction) { return *this; }',
      '  UpdaterClass &onEnd(THandlerFunction) { return *this; }',
      '  UpdaterClass &onError(THandlerFunction_Error) { return *this; }',
      '  UpdaterClass &onProgress(THandlerFunction_Progress) { return *this; }',
    ],
  },
  { header: 'cores/esp8266/Updater.h', before: '#define U_FLASH 0', methods: ['#include <functional>'] },
  {
    // libraries/ESP8266WiFi/src/ESP8266WiFiGeneric.h and ESP8266WiFiSTA.h
    header: 'libraries/ESP8266WiFi/src/ESP8266WiFi.h',
    before: '  wl_status_t status() const',
    methods: [
      '  bool mode(WiFiMode_t) { return true; }',
      '  void persistent(bool) {}',
      '  wl_status_t begin() { return begin("stored", "stored"); }',
      '  bool isConnected() { return _status == WL_CONNECTED; }',
    ],
  },
  {
    // libraries/ESP8266WiFi/src/ESP8266WiFiType.h
    header: 'libraries/ESP8266WiFi/src/ESP8266WiFi.h',
    before: 'class ESP8266WiFiClass {',
    methods: ['enum WiFiMode_t { WIFI_OFF = 0, WIFI_STA = 1, WIFI_AP = 2, WIFI_AP_STA = 3 };'],
  },
] as const;
