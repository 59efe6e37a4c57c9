/*
  Accepts updates over the network with the protocol of the Arduino IDE, PlatformIO and espota.py.
  Use this for development and for devices on your local network.

  Setup: copy arduino_secrets.example.h to arduino_secrets.h and fill it in. Flash over serial once, then press reset:
  until then, updates fail with ERROR[11].

  Limits:
  - The password is weak: authentication uses MD5, so anyone who captures the traffic can guess the password offline, and
    the firmware contains it in readable form. Only signatures control which firmware the device runs: keep public.key in
    the sketch folder and build with `ota-hooks build`, and the device accepts only images that you have signed.
  - MD5 is not a security measure. It detects transmission errors; a device that checks signatures ignores it.
  - RTC user memory is overwritten: an update stores the bootloader command in the first 128 bytes (blocks 0 to 31 of
    ESP.rtcUserMemoryWrite). Keep nothing there that must survive an update.
  - The new sketch is stored next to the running one: flash must hold both (see ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h needs at least 12 characters");

const char hostName[] = "garden-valve";  // must be unique per device; resolves as garden-valve.local
const uint16_t otaPort = 8266;           // the default port of all tools

// The application: here, a valve that must not stay open unattended.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isListening = false;

// Safe state: an update blocks the application for up to a minute and then restarts the device. Before the first byte is
// written, close valves, switch off heaters and motors, and finish all operations that must not be interrupted.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void controlValve() {
  // Your application goes here. It is not called during an update.
}

void explain(ota_error_t error) {
  switch (error) {
    case OTA_AUTH_ERROR:
      // Called from the network stack, not from loop(): do not wait or write to flash here.
      Serial.println(F("Update: wrong password"));
      break;
    case OTA_BEGIN_ERROR:
      Serial.println(F("Update: rejected at the start, usually because of insufficient space"));
      break;
    case OTA_CONNECT_ERROR:
      Serial.println(F("Update: cannot connect to the sender, usually because of its firewall"));
      break;
    case OTA_RECEIVE_ERROR:
      Serial.println(F("Update: connection lost"));
      break;
    case OTA_END_ERROR:
      Serial.println(F("Update: rejected at the end because of signature, MD5 or flash settings"));
      Update.printError(Serial);
      break;
  }
}

bool startListening() {
  ArduinoOTA.setPort(otaPort);
  ArduinoOTA.setHostname(hostName);
  ArduinoOTA.setPassword(SECRET_OTA_PASSWORD);

  ArduinoOTA.onStart([]() {
    enterSafeState();
    // If the sketch uses a filesystem, unmount it here with LittleFS.end(): the update may overwrite it.
    Serial.println(ArduinoOTA.getCommand() == U_FS ? F("Filesystem update") : F("Sketch update"));
  });
  ArduinoOTA.onProgress([](unsigned int done, unsigned int total) {
    static unsigned int shown;
    const unsigned int percent = total == 0 ? 0 : static_cast<unsigned int>(100ULL * done / total);
    if (percent / 10 == shown / 10) return;
    shown = percent;
    Serial.printf("Update: %u %%\n", percent);
  });
  ArduinoOTA.onEnd([]() {
    // Last chance before the restart: save counters and close connections. Stay in the safe state.
    Serial.println(F("Update accepted; restarting"));
  });
  ArduinoOTA.onError(explain);
  ArduinoOTA.begin();

  // Announce the MD5 of the running sketch, so that an update can be confirmed: the protocol ends before the restart.
  MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
}

void setup() {
  // Set the outputs first: after a restart the pins float until these two lines run, and the bootloader may need ten
  // seconds before that to copy an update. A load that must stay off until then needs a pull-up or pull-down resistor.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
}

void loop() {
  // The application also runs without Wi-Fi. The device accepts updates once it is connected.
  if (!isListening && WiFi.isConnected()) isListening = startListening();
  if (isListening) ArduinoOTA.handle();  // returns if there is no update or the update failed; also runs mDNS
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
