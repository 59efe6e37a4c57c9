// The device waits for an invitation and installs the image that it receives.
#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <Updater.h>

class ArduinoOTAClass {
 public:
  void setHostname(const char *name) { _name = name; }
  void begin();
  void handle();

 private:
  String _name;
  WiFiClient _client;
};

extern ArduinoOTAClass ArduinoOTA;
