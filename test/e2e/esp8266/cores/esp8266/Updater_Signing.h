// Stub: a build hook generates the real one in {build.path}/core, which is searched first.
#define ARDUINO_SIGNING 0
