"""Loads a completion script in an interactive zsh, types keys, and exits with 0 when the expected text appears.

Usage: in-zsh.py SCRIPT KEYS EXPECTED
"""

import os
import pty
import sys

script, keys, expected = sys.argv[1], sys.argv[2].encode("utf-8").decode("unicode_escape"), sys.argv[3]
prompt = b"READY>"
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PS1=prompt.decode())
    os.execvp("zsh", ["zsh", "-f", "-i"])
shown = b""


def read_until(text):
    """Reads the output until the text has appeared after the last match."""
    global shown
    while text not in shown:
        shown += os.read(terminal, 4096)
    shown = shown.split(text, 1)[1]


for line in ["autoload -Uz compinit; compinit -u -D", f"source '{script}'", 'bindkey "^I" complete-word']:
    read_until(prompt)
    os.write(terminal, line.encode() + b"\n")
read_until(prompt)
os.write(terminal, keys.encode("latin-1"))
read_until(expected.encode())
