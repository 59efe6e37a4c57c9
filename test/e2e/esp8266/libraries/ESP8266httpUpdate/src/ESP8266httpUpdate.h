// The device requests a newer image from a server and installs it.
#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>

enum HTTPUpdateResult { HTTP_UPDATE_FAILED, HTTP_UPDATE_NO_UPDATES, HTTP_UPDATE_OK };

class ESP8266HTTPUpdate {
 public:
  HTTPUpdateResult update(WiFiClient &client, const char *host, uint16_t port, const char *path, const char *version = "");

 private:
  void request(WiFiClient &client, const char *host, const char *path, const char *version);
  String line(WiFiClient &client);
};

extern ESP8266HTTPUpdate ESPhttpUpdate;
