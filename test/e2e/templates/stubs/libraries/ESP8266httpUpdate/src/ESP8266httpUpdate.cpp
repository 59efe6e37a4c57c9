#include "ESP8266httpUpdate.h"

ESP8266HTTPUpdate ESPhttpUpdate;

// Whatever the client reads is installed, so that the linker keeps the Updater and the callbacks.
t_httpUpdate_return ESP8266HTTPUpdate::update(WiFiClient &client, const String &url, const String &currentVersion) {
  Serial.println(url);
  Serial.println(currentVersion);
  if (!client.available()) return HTTP_UPDATE_NO_UPDATES;
  if (_start) _start();
  const uint32_t bytes = static_cast<uint32_t>(client.available());
  if (_progress) _progress(0, static_cast<int>(bytes));
  if (ESP.updateSketch(client, bytes)) {
    if (_end) _end();
    return HTTP_UPDATE_OK;
  }
  if (_error) _error(Update.getError());
  return HTTP_UPDATE_FAILED;
}

t_httpUpdate_return ESP8266HTTPUpdate::update(WiFiClient &client, const String &host, uint16_t port, const String &uri,
                                              const String &currentVersion) {
  client.connect(host.c_str(), port);
  return update(client, uri, currentVersion);
}

t_httpUpdate_return ESP8266HTTPUpdate::updateFS(WiFiClient &client, const String &url, const String &currentVersion) {
  return update(client, url, currentVersion);
}
