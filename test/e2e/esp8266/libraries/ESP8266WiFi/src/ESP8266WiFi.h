// Functions for joining a network, limited to what the test sketches use.
#pragma once
#include <Arduino.h>
#include "WiFiClient.h"

enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3, WL_DISCONNECTED = 7 };

class ESP8266WiFiClass {
 public:
  wl_status_t begin(const char *ssid, const char *passphrase);
  wl_status_t status() const { return _status; }
  String macAddress() const;
  String localIP() const;

 private:
  wl_status_t _status = WL_DISCONNECTED;
  uint32_t _address = 0;
};

extern ESP8266WiFiClass WiFi;
