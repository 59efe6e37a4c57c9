#pragma once
#include <ESP8266WebServer.h>

namespace esp8266httpupdateserver {
using namespace esp8266webserver;

template <typename ServerType> class ESP8266HTTPUpdateServerTemplate {
 public:
  ESP8266HTTPUpdateServerTemplate(bool serial_debug = false) { (void)serial_debug; }
  void setup(ESP8266WebServerTemplate<ServerType> *) {}
  void setup(ESP8266WebServerTemplate<ServerType> *, const String &) {}
  void setup(ESP8266WebServerTemplate<ServerType> *, const String &, const String &) {}
  void setup(ESP8266WebServerTemplate<ServerType> *, const String &, const String &, const String &) {}
  void updateCredentials(const String &, const String &) {}
};

}  // namespace esp8266httpupdateserver

using ESP8266HTTPUpdateServer = esp8266httpupdateserver::ESP8266HTTPUpdateServerTemplate<WiFiServer>;
