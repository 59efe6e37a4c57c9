// The device requests a newer image from a server.
#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <Updater.h>
#include <functional>

enum HTTPUpdateResult { HTTP_UPDATE_FAILED, HTTP_UPDATE_NO_UPDATES, HTTP_UPDATE_OK };
typedef HTTPUpdateResult t_httpUpdate_return;

using HTTPUpdateStartCB = std::function<void()>;
using HTTPUpdateEndCB = std::function<void()>;
using HTTPUpdateErrorCB = std::function<void(int)>;
using HTTPUpdateProgressCB = std::function<void(int, int)>;

enum followRedirects_t { HTTPC_DISABLE_FOLLOW_REDIRECTS, HTTPC_STRICT_FOLLOW_REDIRECTS, HTTPC_FORCE_FOLLOW_REDIRECTS };

class ESP8266HTTPUpdate {
 public:
  ESP8266HTTPUpdate() {}
  ESP8266HTTPUpdate(int) {}
  void rebootOnUpdate(bool) {}
  void setFollowRedirects(followRedirects_t) {}
  void closeConnectionsOnUpdate(bool) {}
  void setLedPin(int ledPin = -1, uint8_t ledOn = HIGH) { (void)ledPin, (void)ledOn; }
  void setAuthorization(const String &, const String &) {}
  void setAuthorization(const String &) {}
  t_httpUpdate_return update(WiFiClient &client, const String &url, const String &currentVersion = "");
  t_httpUpdate_return update(WiFiClient &client, const String &host, uint16_t port, const String &uri = "/",
                             const String &currentVersion = "");
  t_httpUpdate_return updateFS(WiFiClient &client, const String &url, const String &currentVersion = "");
  void onStart(HTTPUpdateStartCB cb) { _start = cb; }
  void onEnd(HTTPUpdateEndCB cb) { _end = cb; }
  void onError(HTTPUpdateErrorCB cb) { _error = cb; }
  void onProgress(HTTPUpdateProgressCB cb) { _progress = cb; }
  int getLastError() { return 0; }
  String getLastErrorString() { return String(); }

 private:
  HTTPUpdateStartCB _start;
  HTTPUpdateEndCB _end;
  HTTPUpdateErrorCB _error;
  HTTPUpdateProgressCB _progress;
};

extern ESP8266HTTPUpdate ESPhttpUpdate;
