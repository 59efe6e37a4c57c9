#include "ESP8266httpUpdate.h"
#include <Updater.h>

ESP8266HTTPUpdate ESPhttpUpdate;

HTTPUpdateResult ESP8266HTTPUpdate::update(WiFiClient &client, const char *host, uint16_t port, const char *path, const char *version) {
  if (!client.connect(host, port)) return HTTP_UPDATE_FAILED;
  request(client, host, path, version);
  const String status = line(client);
  if (status.indexOf(" 304") > 0) return HTTP_UPDATE_NO_UPDATES;
  if (status.indexOf(" 200") < 0) return HTTP_UPDATE_FAILED;
  long bytes = 0;
  for (String header = line(client); header.length() > 0; header = line(client)) {
    if (header.indexOf("Content-Length:") == 0) bytes = strtol(header.c_str() + 15, nullptr, 10);
  }
  return bytes > 0 && ESP.updateSketch(client, static_cast<uint32_t>(bytes)) ? HTTP_UPDATE_OK : HTTP_UPDATE_FAILED;
}

void ESP8266HTTPUpdate::request(WiFiClient &client, const char *host, const char *path, const char *version) {
  client.printf("GET %s HTTP/1.0\r\nHost: %s\r\n", path, host);
  client.print(F("User-Agent: ESP8266-http-Update\r\nConnection: close\r\n"));
  client.printf("x-ESP8266-Chip-ID: %u\r\n", (unsigned)ESP.getChipId());
  client.printf("x-ESP8266-STA-MAC: %s\r\n", WiFi.macAddress().c_str());
  client.printf("x-ESP8266-free-space: %u\r\nx-ESP8266-sketch-size: %u\r\n", (unsigned)ESP.getFreeSketchSpace(), (unsigned)ESP.getSketchSize());
  client.print(F("x-ESP8266-mode: sketch\r\n"));
  if (*version) client.printf("x-ESP8266-version: %s\r\n", version);
  client.println();
}

String ESP8266HTTPUpdate::line(WiFiClient &client) {
  String text;
  const uint32_t since = millis();
  while (millis() - since < 8000) {
    const int byte = client.read();
    if (byte == '\n') break;
    if (byte >= 0 && byte != '\r') text += static_cast<char>(byte);
  }
  return text;
}
