/*
  The device shows a web page, /update, to which a new sketch or filesystem is uploaded; with a login.
  For a user who has a browser and nothing else.

  Set-up: copy arduino_secrets.example.h to arduino_secrets.h and fill it in, flash over serial once and press reset.
  Needs core 3.1.0 or later: before, Update had no onStart (esp8266/Arduino#8653).

  Limits:
  - The login is weak: it passes the network in clear with each request, whoever listens has it, and it stands readable in
    the firmware. An empty user name or password switches it off. Only a signature decides what the device will run: keep
    public.key beside this sketch and build it with `ota-hooks build`.
  - Nothing checks the transfer. MD5 is no security, but here even that is missing: without signatures a damaged upload is
    installed if its first byte looks right.
  - The page stages an image as low in flash as it can, where unpacking a compressed one may overwrite what is still to be
    read. Upload .bin.signed here, not .gz.signed.
  - RTC user memory is overwritten: the first 128 bytes (blocks 0 to 31 of ESP.rtcUserMemoryWrite) carry the order to the
    bootloader. Keep nothing there that has to outlive an update.
  - The new sketch is stored beside the running one: both must fit (ESP.getFreeSketchSpace()).
*/
#include <Arduino.h>
#include <ESP8266HTTPUpdateServer.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#include <Updater.h>

#include "arduino_secrets.h"  // missing? Copy arduino_secrets.example.h, and keep the copy out of git.

static_assert(sizeof(SECRET_WEB_USER) > 1, "SECRET_WEB_USER in arduino_secrets.h is empty: there would be no login");
static_assert(sizeof(SECRET_WEB_PASSWORD) > 12, "SECRET_WEB_PASSWORD in arduino_secrets.h: 12 characters or more");

const char hostName[] = "garden-valve";  // another one for each device; the page is http://garden-valve.local/update
const uint16_t webPort = 80;

ESP8266WebServer webServer(webPort);
ESP8266HTTPUpdateServer updatePage;

// What the device is for: here, a valve that must not stay open while nobody looks after it.
const uint8_t valvePin = 5;  // D1
const uint8_t valveClosed = LOW;
bool inSafeState = false;
bool isServing = false;

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

bool startServing() {
  updatePage.setup(&webServer, "/update", SECRET_WEB_USER, SECRET_WEB_PASSWORD);
  webServer.begin();
  MDNS.begin(hostName);
  MDNS.addService("http", "tcp", webPort);
  // Says which sketch runs, so that an update can be proven after the restart.
  MDNS.addServiceTxt("http", "tcp", "sketch_md5", ESP.getSketchMD5().c_str());
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

  // The update page has no callbacks of its own; those of Update serve every way in. This one comes after the login.
  Update.onStart(enterSafeState);
  Update.onError([](uint8_t error) { Serial.printf("Update: error %u\n", error); });
}

void loop() {
  if (!isServing && WiFi.isConnected()) isServing = startServing();
  if (isServing) {
    webServer.handleClient();  // comes back when an upload is over; after a good one the device has restarted
    MDNS.update();
  }
  // An upload that the browser broke off gives no error: what counts is that none is running.
  if (inSafeState && !Update.isRunning()) leaveSafeState();
  if (!inSafeState) controlValve();
}
