/*
  An update is sent to the device, by the protocol that the Arduino IDE, PlatformIO and espota.py speak.
  For development, and for devices on the network that you are in yourself.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in. Flash over serial once, then press reset:
  until then updates end with ERROR[11].

  Limits:
  - The password is weak: its exchange is MD5, so whoever listens can guess at leisure, and it stands readable in the
    firmware. Only a signature decides what the device will run. Keep public.key beside this sketch and build it with
    `ota-hooks build`, and the device takes nothing but what you have signed.
  - MD5 is no security. It finds damage on the way; a device that checks signatures does not even look at it.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ArduinoOTA.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

static_assert(sizeof(SECRET_OTA_PASSWORD) > 12, "SECRET_OTA_PASSWORD in arduino_secrets.h: 12 characters or more");

const char hostName[] = "garden-valve";  // another one for each device; it answers as garden-valve.local
const uint16_t otaPort = 8266;           // the port that all tools expect

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isListening = false;

// Safe state: an update keeps the device busy for up to a minute and ends in a restart, in the middle of whatever it was
// doing. Shut valves, switch heaters and motors off, finish what may not be interrupted: before the first byte is written.
void enterSafeState() {
  digitalWrite(valvePin, valveClosed);
  inSafeState = true;
}

void leaveSafeState() {
  inSafeState = false;
}

void controlValve() {
  // Your application. It is not called while an update runs.
}

void explain(ota_error_t error) {
  switch (error) {
    case OTA_AUTH_ERROR:
      // Comes from the network stack, not from loop(): neither wait nor write to flash here.
      Serial.println(F("Update: wrong password"));
      break;
    case OTA_BEGIN_ERROR:
      Serial.println(F("Update: refused before it began, most often for want of space"));
      break;
    case OTA_CONNECT_ERROR:
      Serial.println(F("Update: the sender cannot be reached; a firewall there, most often"));
      break;
    case OTA_RECEIVE_ERROR:
      Serial.println(F("Update: the connection was lost"));
      break;
    case OTA_END_ERROR:
      Serial.println(F("Update: refused at its end, by signature, MD5 or flash settings"));
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
    // A filesystem is about to be overwritten: unmount it here, with LittleFS.end().
    Serial.println(ArduinoOTA.getCommand() == U_FS ? F("Update of the filesystem") : F("Update of the sketch"));
  });
  ArduinoOTA.onProgress([](unsigned int done, unsigned int total) {
    static unsigned int shown;
    const unsigned int percent = total == 0 ? 0 : static_cast<unsigned int>(100ULL * done / total);
    if (percent / 10 == shown / 10) return;
    shown = percent;
    Serial.printf("Update: %u %%\n", percent);
  });
  ArduinoOTA.onEnd([]() {
    // The last moment before the restart: save counters, close connections. Stay in the safe state.
    Serial.println(F("Update accepted; restarting"));
  });
  ArduinoOTA.onError(explain);
  ArduinoOTA.begin();

  // Says which sketch runs, so that an update can be proven afterwards: the protocol itself ends before the restart.
  MDNS.addServiceTxt("arduino", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
  return true;
}

void setup() {
  // First of all: after a restart the pins float until these two lines, and the bootloader may need ten seconds to copy an
  // update before they are reached. What must be off in the meantime needs a resistor that pulls it there.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);
}

void loop() {
  // The device does its work without Wi-Fi too: updates begin to be possible when the network is there.
  if (!isListening && WiFi.isConnected()) isListening = startListening();
  if (isListening) ArduinoOTA.handle();  // comes back only if there was no update, or if it failed; looks after mDNS too
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
