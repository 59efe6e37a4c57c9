#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>

namespace esp8266webserver {

template <typename ServerType> class ESP8266WebServerTemplate {
 public:
  ESP8266WebServerTemplate(int port = 80) { (void)port; }
  void begin() {}
  void begin(uint16_t) {}
  void handleClient() {}
  void close() {}
  void stop() {}
};

}  // namespace esp8266webserver

class WiFiServer;
using ESP8266WebServer = esp8266webserver::ESP8266WebServerTemplate<WiFiServer>;
