#include "ESP8266WiFi.h"

ESP8266WiFiClass WiFi;

wl_status_t ESP8266WiFiClass::begin(const char *ssid, const char *passphrase) {
  if (!ssid || !*ssid) return _status = WL_IDLE_STATUS;
  Serial.print(F("joining "));
  Serial.println(ssid);
  _address = 0xc0a80064u + (strlen(passphrase) & 0x0f);
  return _status = WL_CONNECTED;
}

String ESP8266WiFiClass::macAddress() const {
  char text[18];
  const uint32_t id = ESP.getChipId();
  snprintf(text, sizeof text, "5C:CF:7F:%02X:%02X:%02X", (unsigned)(id >> 16) & 0xff, (unsigned)(id >> 8) & 0xff, (unsigned)id & 0xff);
  return text;
}

String ESP8266WiFiClass::localIP() const {
  char text[16];
  snprintf(text, sizeof text, "%u.%u.%u.%u", (unsigned)(_address >> 24), (unsigned)(_address >> 16) & 0xff, (unsigned)(_address >> 8) & 0xff, (unsigned)_address & 0xff);
  return text;
}
