"""Stand-in for the core's tools/signing.py that never signs: the header disables signing, and the .bin is left unchanged."""

import argparse
import os

parser = argparse.ArgumentParser()
for name in ("mode", "publickey", "privatekey", "bin", "out", "legacy"):
    parser.add_argument("--" + name)
given = parser.parse_args()

if given.mode == "header":
    os.makedirs(os.path.dirname(given.out), exist_ok=True)
    with open(given.out, "w") as header:
        header.write("#define ARDUINO_SIGNING 0\n")
