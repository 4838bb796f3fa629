"""Walks through a document: runs its ```console blocks, line for line, in one shell, and holds what is printed against
what the document shows. walkthrough.py DOCUMENT SHELL...

A command stands behind "$ " and goes on behind "> ". Each line below it must be printed, in this order, with others in
between where the document has "...". What differs from day to day (job ids, times, lengths, fingerprints) is not
compared. A command that only looks is repeated until it shows what the document says, for two minutes at most."""

import re
import subprocess
import sys
import time

PATIENCE = 120  # seconds
LOOKS = re.compile(r"(tidegate (status|queue (list|show)|maintenance list|org list)|systemctl show|curl .*outbox/)")
CHANGING = [
    (r"\b[0-9A-HJKMNP-TV-Z]{16}\b", "JOB"),
    (r"SHA256:\S+", "FINGERPRINT"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\bhold-\S+", "HOLD"),
    (r"(\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( C[SD]T)?", "TIME"),
    (r"\b\d+ (s|min|h|days?)\b( \d+ (s|min|h)\b)?", "LENGTH"),
    (r"\b\d+(\.\d+)? (bytes|KiB|MiB|GiB)\b", "SIZE"),
    (r"\s+", " "),
]


def plain(line):
    for pattern, word in CHANGING:
        line = re.sub(pattern, word, line)
    return line.strip()


def steps(document):
    """Commands with the lines that the document shows below them."""
    found, inside = [], False
    for line in document.splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(([line[2:]], []))
        elif inside and line.startswith("> "):
            found[-1][0].append(line[2:])
        elif inside and line.strip() not in ("", "..."):
            found[-1][1].append(line)
    return [("\n".join(command), shown) for command, shown in found]


class Shell:
    def __init__(self, argv):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.run("cd; shopt -s expand_aliases")

    def run(self, command):
        """What it printed, and its exit code."""
        # What a command reads is not what the shell is to do next.
        self.process.stdin.write(f"{{ {command}\n}} </dev/null; echo; echo END-OF-STEP $?\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("END-OF-STEP "):
                return lines, int(line.split()[1])
            lines.append(line.rstrip("\n"))
        return lines, -1


def missing(shown, printed):
    """The first line of the document that was not printed in its turn."""
    rest = iter([plain(line) for line in printed])
    return next((line for line in shown if not any(plain(line) == other for other in rest)), None)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        walk = steps(file.read())
    if len(walk) < 20:
        sys.exit(f"only {len(walk)} commands in {sys.argv[1]}")
    shell = Shell(sys.argv[2:])
    for command, shown in walk:
        deadline = time.monotonic() + PATIENCE
        while True:
            printed, code = shell.run(command)
            lost = missing(shown, printed)
            if code == 0 and lost is None:
                break
            if not LOOKS.search(command) or time.monotonic() > deadline:
                text = "\n  ".join(printed)
                sys.exit(f"$ {command}\n  {text}\nended with {code}; the document also shows: {lost}")
    print(f"walked {len(walk)} steps")


main()
