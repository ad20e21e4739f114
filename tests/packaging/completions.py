#!/usr/bin/env python3
"""Completions as shells give them: in bash by calling its function, in fish by asking it, in zsh on
a terminal, with the Tab key. A shell that is not here is left out, with a line that says so.

    completions.py DESCRIBED
"""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import time

DESCRIBED = pathlib.Path(sys.argv[1]).resolve()
MOST_SECONDS = 60  # for a zsh on a busy machine

# What is typed -> words that have to be offered, words that must not be.
CASES = [
    ("limn ", ["paint", "recipes", "model"], ["--help", "fetch"]),
    ("limn pai", ["paint"], ["model"]),
    ("limn model ", ["fetch", "convert"], ["paint"]),
    ("limn paint --col", ["--colors"], ["--size"]),
    ("limn paint --colors ", ["style", "matched"], ["max"]),
    ("limn paint photo.jpg --pooling a", ["average"], ["max"]),
    ("limn paint --recipe gra", ["gram"], ["limn"]),
    ("limn recipes show se", ["season"], ["texture"]),
    ("limn paint --network v", ["vgg16", "vgg19"], ["builtin"]),
    ("limn model fetch ", ["vgg19"], ["builtin"]),
    ("limn sweep --vary picture.si", ["picture.size="], ["style.weight="]),
    ("limn paint --clip ", ["true", "false"], ["N"]),
]
FAILURES = []


def check(shell, typed, offered):
    """Holds what a shell offered against the table."""
    wanted, unwanted = next((w, u) for t, w, u in CASES if t == typed)
    for word in wanted:
        if word not in offered:
            FAILURES.append(f"{shell}: '{typed}' should offer {word}, but offers {offered[:20]}")
    for word in unwanted:
        if word in offered:
            FAILURES.append(f"{shell}: '{typed}' should not offer {word}")


def bash_offers(words):
    """COMPREPLY after the function is called with the cursor in the last word."""
    script = ('source "$0"; compopt() { echo "compopt $*" >&2; }; COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _limn; printf "%s\\n" "${COMPREPLY[@]}"')
    told = subprocess.run(["bash", "--norc", "-c", script, DESCRIBED / "limn.bash", *words],
                          capture_output=True, text=True, check=True)
    return [line for line in told.stdout.splitlines() if line], told.stderr


def try_bash():
    for typed, _, _ in CASES:
        check("bash", typed, bash_offers(typed.split(" "))[0])
    if bash_offers(["limn", "paint", "--colors", "=", "con"])[0] != ["content"]:
        FAILURES.append("bash: --colors=con should become content")
    # Files are readline's, numbers nobody's.
    if "+o default" in bash_offers(["limn", "paint", ""])[1]:
        FAILURES.append("bash: limn paint should offer files")
    if "+o default" in bash_offers(["limn", "paint", "--mask-keep", ""])[1]:
        FAILURES.append("bash: --mask-keep should offer files")
    if "+o default" not in bash_offers(["limn", "paint", "--iterations", ""])[1]:
        FAILURES.append("bash: --iterations should offer no files")
    if bash_offers(["limn", "serve", "--data", "/us"])[0] != ["/usr"]:
        FAILURES.append("bash: --data should offer folders")


def try_fish():
    for typed, _, _ in CASES:
        told = subprocess.run(
            ["fish", "--no-config", "-c", f"source {DESCRIBED}/limn.fish; complete -C '{typed}'"],
            capture_output=True, text=True, check=True)
        check("fish", typed, [line.split("\t")[0] for line in told.stdout.splitlines()])
        if told.stderr:
            FAILURES.append(f"fish says: {told.stderr}")


class Terminal:
    """A shell on a terminal, with what it has shown."""

    def __init__(self, command):
        child, self.end = pty.fork()
        if child == 0:
            os.environ.update(TERM="dumb", LC_ALL="C.UTF-8", COLUMNS="200", LINES="200")
            os.execvp(command[0], command)

    def type(self, text):
        os.write(self.end, text.encode())

    def read_until(self, mark):
        """What is shown up to the mark, or until that takes too long."""
        shown, end = "", time.monotonic() + MOST_SECONDS
        while mark not in shown and time.monotonic() < end:
            if select.select([self.end], [], [], 0.2)[0]:
                shown += os.read(self.end, 65536).decode(errors="replace")
        return shown


def try_zsh():
    subprocess.run(["zsh", "-n", DESCRIBED / "_limn"], check=True)
    shell = Terminal(["zsh", "-f", "-i"])
    # What is offered is written down beside being shown; a new prompt says that it is over.
    shell.type(
        f"fpath=({DESCRIBED} $fpath); autoload -U compinit; compinit -D -u; setopt no_beep; "
        "compadd() { [[ $* == *-[OAD]\\ * ]] || { local -a hits; builtin compadd -O hits \"$@\"; "
        "print -r -- $hits >> $SEEN; }; builtin compadd \"$@\" }; SEEN=$(mktemp); "
        "PS1='rea''dy> '\n")
    shell.read_until("ready> ")
    for number, (typed, _, _) in enumerate(CASES):
        shell.type(f"{typed}\t\x15print -r -- sta''rt $(< $SEEN) en''d; : > $SEEN; "
                   f"PS1='{number}rea''dy> '\n")
        shown = shell.read_until(f"{number}ready> ")
        check("zsh", typed, shown.partition("\nstart")[2].partition(" end")[0].split())
    shell.type("rm $SEEN; exit\n")


def main():
    for shell, attempt in (("bash", try_bash), ("fish", try_fish), ("zsh", try_zsh)):
        if shutil.which(shell):
            attempt()
        else:
            print(f"{shell} is not here, so its completion was not tried")
    for failure in FAILURES:
        print("FAILED", failure)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
