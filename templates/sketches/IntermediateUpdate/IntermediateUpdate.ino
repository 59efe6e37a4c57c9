/*
  Intermediate sketch for an update in two hops: it is small, verifies signatures and installs the next update. It has no
  application. Use this if an update does not fit beside the running sketch.

  Setup:
  1. Copy arduino_secrets.example.h to arduino_secrets.h and fill it in. Set your outputs in setup(), and updateUrl if
     your devices check a server for updates.
  2. Build with your key for the board of the device: `ota-hooks build IntermediateUpdate`. Without the key or the
     password, this sketch does not compile.
  3. Check both hops: `ota-hooks preflight` with `--via` and the manifest of this build. Upload it, then your firmware.

  Wi-Fi: the device connects to the network that its SDK stores in flash, where updates do not overwrite it. Cores before
  3.0.0 store the network of each connection. Later cores store it only after WiFi.persistent(true): if your
  sketch does not call it, replace WiFi.begin() below by a call with your network, or the device stays offline.
  The device never opens an access point.

  Limits:
  - The password is weak: espota uses MD5, and the web updater sends it unencrypted. Only signatures control which firmware
    the device runs.
  - MD5 is not a security measure: a device that checks signatures ignores it.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <ESP8266HTTPUpdateServer.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <ESP8266mDNS.h>
#include <Updater.h>
#include <Updater_Signing.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

#if !ARDUINO_SIGNING
#error "IntermediateUpdate must verify signatures: put public.key into the project and build with `ota-hooks build`"
#endif
static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h needs at least 12 characters");

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.0.0-intermediate"  // sent to the server; differs from all versions of your firmware
#endif

const char hostName[] = "";   // the mDNS name of the device; if empty, esp8266- and the chip ID
const char updateUrl[] = "";  // such as http://192.0.2.10:8080/firmware; if empty, no update checks
const uint32_t intervalMs = 10UL * 60 * 1000;
const uint16_t webPort = 80;

ESP8266WebServer webServer(webPort);
ESP8266HTTPUpdateServer updatePage;
bool isListening = false;

bool isDue() {
  // The chip ID spreads the checks of devices that restart together over a minute.
  static uint32_t nextMs = ESP.getChipId() % 60000;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

void askForUpdate() {
  WiFiClient client;
  ESPhttpUpdate.update(client, updateUrl, FIRMWARE_VERSION);  // restarts the device after an update
}

bool startListening() {
  updatePage.setup(&webServer, "/update", "admin", SECRET_OTA_PASSWORD);
  webServer.begin();
  if (hostName[0] != '\0') ArduinoOTA.setHostname(hostName);
  ArduinoOTA.setPassword(SECRET_OTA_PASSWORD);
  ArduinoOTA.begin();
  // Announce the MD5 of the running sketch: the next hop starts when the first one is confirmed.
  MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
}

void setup() {
  // Set the outputs first: after a restart the pins float until this point, and they keep these values until the next
  // update. Close valves, switch off heaters and motors. A load that must stay off earlier needs a pull-down resistor.

  WiFi.mode(WIFI_STA);
  WiFi.begin();
}

void loop() {
  if (!isListening && WiFi.isConnected()) isListening = startListening();
  if (isListening) {
    ArduinoOTA.handle();
    webServer.handleClient();
  }
  if (updateUrl[0] != '\0' && WiFi.isConnected() && isDue()) askForUpdate();
}
