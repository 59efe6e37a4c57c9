#include "ArduinoOTA.h"

ArduinoOTAClass ArduinoOTA;

void ArduinoOTAClass::begin(bool useMDNS) {
  (void)useMDNS;
  Serial.println(_name);
}

// Installs whatever the client sends, so that the linker keeps the Updater and its callbacks.
void ArduinoOTAClass::handle() {
  const int bytes = _client.available();
  if (bytes <= 0 || !Update.begin(static_cast<size_t>(bytes), _command)) return;
  if (_start) _start();
  const size_t written = Update.writeStream(_client);
  if (_progress) _progress(written, static_cast<unsigned>(bytes));
  if (Update.end()) {
    if (_end) _end();
    ESP.restart();
  }
  if (_error) _error(OTA_END_ERROR);
}
