"""Stand-in for the core's tools/sizes.py: prints how much memory a sketch uses."""

import subprocess
import sys

elf, path = sys.argv[2], sys.argv[4]
lines = subprocess.check_output([path + "xtensa-lx106-elf-size", "-A", elf], universal_newlines=True).splitlines()
sizes = {words[0]: int(words[1]) for words in (line.split() for line in lines) if len(words) == 3 and words[1].isdigit()}
ram = sum(sizes.get(name, 0) for name in (".data", ".rodata", ".bss"))
print(". Variables and constants in RAM (global, static), used %d / 80192 bytes" % ram)
