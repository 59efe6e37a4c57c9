/*
  Firmware that can always be updated: it checks a server for updates and also accepts uploads over the local network.

  Flash it over serial once, with arduino_secrets.h in place, and press reset: it stores the Wi-Fi network in flash, where
  updates do not overwrite it. Later builds, including those of a build server, need no secrets.

  Limits:
  - Only signatures control which firmware the device runs: the update password is weak (MD5, and readable in the firmware),
    and the MD5 of a transfer is not a security measure. Builds are signed as soon as there are keys.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite).
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#if __has_include("arduino_secrets.h")
#include "arduino_secrets.h"
static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h needs at least 12 characters");
#endif

#ifndef FIRMWARE_VERSION
#define FIRMWARE_VERSION "0.1.0"  // used without a build flag; same as "version" in ota.config.json
#endif

const char hostName[] = "my-device";
const char updateUrl[] = "";  // such as http://192.0.2.10:8080/firmware; if empty, no update checks
const uint32_t intervalMs = 60UL * 60 * 1000;

#ifndef SECRET_OTA_PASSWORD
static_assert(sizeof(updateUrl) > 1, "This firmware could not be updated again: set updateUrl or create arduino_secrets.h");
#endif

bool inSafeState = false;
bool isListening = false;

// Safe state: an update blocks the application for up to a minute and then restarts the device. Before the first byte is
// written, close valves, switch off heaters and motors, and finish all operations that must not be interrupted.
void enterSafeState() {
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void runApplication() {
  // Your application goes here. It is not called during an update.
}

bool isDue() {
  // The chip ID spreads the first check over a minute, so that devices do not all check at once after a power cut.
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
  // Announce the MD5 of the running sketch, so that an update can be confirmed after the restart.
  MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
#else
  return false;  // without a password, the device accepts no uploads
#endif
}

void joinNetwork() {
  WiFi.mode(WIFI_STA);
#ifdef SECRET_WIFI_SSID
  WiFi.persistent(true);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
#else
  WiFi.begin();  // the network stored by an earlier build
#endif
}

void setup() {
  // Set the outputs first: after a restart the pins float until this point, and the bootloader may need ten seconds before
  // that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.

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
