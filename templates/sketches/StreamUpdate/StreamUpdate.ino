/*
  The Updater itself, fed from any Stream: all other ways of updating end here.
  For firmware that arrives as nobody foresaw: in pieces by radio or MQTT, on an SD card, by a protocol of your own. Here it
  is a file in LittleFS, complete before the update begins.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, flash over serial once and press reset.
  Needs core 3.1.0 or later: before, Update had no onStart (esp8266/Arduino#8653).

  Limits:
  - Whoever can write the file can replace the sketch. Only a signature decides what the device will run: keep public.key
    beside this sketch and build it with `ota-hooks build`.
  - MD5 (Update.setMD5) is no security. It finds damage on the way, and only on a device that checks no signatures.
  - A Stream must not pause for long: after a minute without a byte the update fails. Collect slow pieces in a file first,
    as here. Update.write(buffer, size) takes pieces of any size, but whatever runs in between must be in the safe state.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()), and the file needs its room
    in the filesystem as well.
*/
#include <Arduino.h>
#include <ESP8266WiFi.h>  // needed without Wi-Fi too: its library holds the check of signatures
#include <LittleFS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

const char waiting[] = "/firmware.bin.signed";
const char rejected[] = "/firmware.rejected";
const uint32_t intervalMs = 10UL * 1000;

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;

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

bool isDue() {
  static uint32_t nextMs = 0;
  if (static_cast<int32_t>(millis() - nextMs) < 0) return false;
  nextMs = millis() + intervalMs;
  return true;
}

// Whether all of it was stored and found good; the bootloader installs it at the next restart.
bool stageUpdate(Stream &stream, size_t sizeBytes) {
  if (!Update.begin(sizeBytes, U_FLASH)) return false;
  if (Update.writeStream(stream) != sizeBytes) return false;
  return Update.end();
}

void installWaitingFile() {
  File file = LittleFS.open(waiting, "r");
  if (!file) return;
  const bool isStaged = stageUpdate(file, file.size());
  file.close();
  if (!isStaged) {
    Update.printError(Serial);
    Update.end();
    // Out of the way, or the next start would try again, and the one after it.
    LittleFS.rename(waiting, rejected);
    return;
  }
  // Before the restart: a file that stays is installed again for ever.
  LittleFS.remove(waiting);
  LittleFS.end();
  ESP.restart();
}

void setup() {
  // First of all: after a restart the pins float until these two lines, and the bootloader may need ten seconds to copy an
  // update before they are reached. What must be off in the meantime needs a resistor that pulls it there.
  digitalWrite(valvePin, valveClosed);
  pinMode(valvePin, OUTPUT);

  Serial.begin(115200);
  LittleFS.begin();
  WiFi.mode(WIFI_STA);
  WiFi.begin(SECRET_WIFI_SSID, SECRET_WIFI_PASSWORD);

  Update.onStart(enterSafeState);
  Update.onProgress([](size_t done, size_t total) {
    Serial.printf("Update: %u of %u bytes\n", static_cast<unsigned>(done), static_cast<unsigned>(total));
  });
  Update.onError([](uint8_t error) { Serial.printf("Update: error %u\n", error); });
}

void loop() {
  // Here, whatever receives the pieces: it writes to another name, and renames the file when the last one is there.
  if (isDue()) installWaitingFile();
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
