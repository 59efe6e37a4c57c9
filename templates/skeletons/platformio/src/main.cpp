/*
  A device that can always be updated: it asks a server for new versions, and at your desk it also takes what you send.

  Flash it over serial once, with arduino_secrets.h in place, and press reset: it stores the Wi-Fi network in flash, where
  updates leave it alone. So later builds, those of a build server too, need no secrets.

  Limits:
  - Signatures decide what the device will run, nothing else here does: the update password is weak (MD5, and readable in
    the firmware), and the MD5 of a transfer is no security. The build is signed as soon as there are keys.
  - RTC user memory is overwritten by updates: its first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the
    order to the bootloader.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#if __has_include("arduino_secrets.h")
#include "arduino_secrets.h"
static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h: 12 characters or more");
#endif

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // without a build flag: the same as "version" in ota.config.json
#endif

const char hostName[] = "my-device";
const char updateUrl[] = "";  // such as http://192.0.2.10:8080/firmware; empty: the device asks nobody
const uint32_t intervalMs = 60UL * 60 * 1000;

#ifndef SECRET_OTA_PASSWORD
static_assert(sizeof(updateUrl) > 1, "Nobody could update this firmware again: set updateUrl, or have arduino_secrets.h");
#endif

bool inSafeState = false;
bool isListening = false;

// Safe state: an update keeps the device busy for up to a minute and ends in a restart, in the middle of whatever it was
// doing. Shut valves, switch heaters and motors off, finish what may not be interrupted: before the first byte is written.
void enterSafeState() {
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void runApplication() {
  // Yours. It is not called while an update runs.
}

bool isDue() {
  // Spread over a minute by the chip's number: after a power cut, not all devices ask in the same second.
  static uint32_t nextMs = ESP.getChipId() % 60000;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

void askForUpdate() {
  WiFiClient client;
  if (ESPhttpUpdate.update(client, updateUrl, FIRMWARE_VERSION) == HTTP_UPDATE_FAILED) {
    Serial.printf("Update failed (%d): %s\n", ESPhttpUpdate.getLastError(), ESPhttpUpdate.getLastErrorString().c_str());
  }
}

bool startListening() {
#ifdef SECRET_OTA_PASSWORD
  ArduinoOTA.setHostname(hostName);
  ArduinoOTA.setPassword(SECRET_OTA_PASSWORD);
  ArduinoOTA.onStart(enterSafeState);
  ArduinoOTA.onError([](ota_error_t error) { Serial.printf("Update: error %d\n", static_cast<int>(error)); });
  ArduinoOTA.begin();
  // Says which sketch runs, so that an update can be proven after the restart.
  MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
#else
  return false;  // without a password nobody may send anything
#endif
}

void joinNetwork() {
  WiFi.mode(WIFI_STA);
#ifdef SECRET_WIFI_SSID
  WiFi.persistent(true);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
#else
  WiFi.begin();  // the network that an earlier build has stored
#endif
}

void setup() {
  // First of all: set every pin that moves something. After a restart they float until here, and the bootloader may need
  // ten seconds to copy an update before. What must be off in the meantime needs a resistor that pulls it there.

  Serial.begin(115200);
  Serial.println(F("Version " FIRMWARE_VERSION));
  joinNetwork();
  ESPhttpUpdate.onStart(enterSafeState);
}

void loop() {
  if (!isListening && WiFi.isConnected()) isListening = startListening();
  if (isListening) ArduinoOTA.handle();
  if (updateUrl[0] != '\0' && WiFi.isConnected() && isDue()) askForUpdate();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) runApplication();
}
