#include "ArduinoOTA.h"

ArduinoOTAClass ArduinoOTA;

void ArduinoOTAClass::begin() {
  if (!_name.length()) _name = String(F("esp8266-")) + String(ESP.getChipId());
  Serial.print(F("OTA: listening as "));
  Serial.println(_name);
}

void ArduinoOTAClass::handle() {
  if (!_client.available()) return;
  char invitation[64];
  size_t length = 0;
  while (_client.available() && length + 1 < sizeof invitation) {
    const int byte = _client.read();
    if (byte == '\n') break;
    invitation[length++] = static_cast<char>(byte);
  }
  invitation[length] = 0;
  char *rest = nullptr;
  const int command = static_cast<int>(strtol(invitation, &rest, 10));
  strtol(rest, &rest, 10);
  const long bytes = strtol(rest, &rest, 10);
  if (!Update.begin(static_cast<size_t>(bytes), command)) {
    Update.printError(_client);
    return;
  }
  _client.print(F("OK"));
  if (Update.writeStream(_client) == static_cast<size_t>(bytes) && Update.end()) {
    _client.print(F("OK"));
    ESP.restart();
  }
  Update.printError(_client);
}
