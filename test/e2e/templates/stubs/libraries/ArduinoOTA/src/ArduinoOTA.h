// The device waits for an invitation: the interface of the test core's own library, plus the rest of upstream's.
#pragma once
#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <Updater.h>
#include <functional>

typedef enum { OTA_IDLE, OTA_WAITAUTH, OTA_RUNUPDATE } ota_state_t;

typedef enum {
  OTA_AUTH_ERROR,
  OTA_BEGIN_ERROR,
  OTA_CONNECT_ERROR,
  OTA_RECEIVE_ERROR,
  OTA_END_ERROR
} ota_error_t;

class ArduinoOTAClass {
 public:
  typedef std::function<void(void)> THandlerFunction;
  typedef std::function<void(ota_error_t)> THandlerFunction_Error;
  typedef std::function<void(unsigned int, unsigned int)> THandlerFunction_Progress;

  void setPort(uint16_t) {}
  void setHostname(const char *name) { _name = name; }
  String getHostname() { return _name; }
  void setPassword(const char *) {}
  void setPasswordHash(const char *) {}
  void setRebootOnSuccess(bool) {}
  void onStart(THandlerFunction fn) { _start = fn; }
  void onEnd(THandlerFunction fn) { _end = fn; }
  void onError(THandlerFunction_Error fn) { _error = fn; }
  void onProgress(THandlerFunction_Progress fn) { _progress = fn; }
  void begin(bool useMDNS = true);
  void end() {}
  void handle();
  int getCommand() { return _command; }

 private:
  String _name;
  WiFiClient _client;
  int _command = U_FLASH;
  THandlerFunction _start = nullptr, _end = nullptr;
  THandlerFunction_Error _error = nullptr;
  THandlerFunction_Progress _progress = nullptr;
};

extern ArduinoOTAClass ArduinoOTA;
