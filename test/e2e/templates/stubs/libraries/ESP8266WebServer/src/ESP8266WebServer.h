#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <functional>

enum HTTPMethod { HTTP_ANY, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };
enum HTTPAuthMethod { BASIC_AUTH, DIGEST_AUTH };

namespace esp8266webserver {

template <typename ServerType> class ESP8266WebServerTemplate {
 public:
  ESP8266WebServerTemplate(int port = 80) { (void)port; }
  void begin() {}
  void begin(uint16_t) {}
  void handleClient() {}
  void on(const char *, HTTPMethod, std::function<void()>) {}
  bool authenticate(const char *, const char *) { return false; }
  void requestAuthentication(HTTPAuthMethod = BASIC_AUTH) {}
  String arg(const String &) const { return String(); }
  void send(int, const char *, const String &) {}
  void close() {}
  void stop() {}
};

}  // namespace esp8266webserver

class WiFiServer;
using ESP8266WebServer = esp8266webserver::ESP8266WebServerTemplate<WiFiServer>;
