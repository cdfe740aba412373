#!/bin/sh
# Makes .venv hold exactly the packages of one hash-pinned file: sh .ci/venv.sh run|dev
# Takes PYTHON from the environment, or looks for one of 3.11 or later. Quick when nothing changed.
set -eu

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || die "PYTHON=$PYTHON does not run, or is older than 3.11: name a Python 3.11 or later."
        return
    fi
    for PYTHON in python3 python3.13 python3.12 python3.11; do
        if is_new_enough "$PYTHON"; then return; fi
    done
    found=$(python3 -c 'import platform; print("python3 is " + platform.python_version())' 2>/dev/null || echo "there is no python3")
    die "Python 3.11 or later is needed, and $found here: install one, or name it: make PYTHON=/path/to/python3.11 ..."
}

make_venv() {
    find_python
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
        die "$PYTHON has no venv module: on Debian or Ubuntu run 'apt-get install python$version-venv', then try again."
    rm -rf .venv
    mkdir .venv
    touch "$unfinished"
    say "Making .venv with Python $version ..."
    "$PYTHON" -m venv .venv >&2 || die "$PYTHON could not make .venv: its message stands above."
}

install() {
    touch "$unfinished"
    rm -f .venv/installed-run.txt .venv/installed-dev.txt
    say "Installing the packages of $1 into .venv ..."
    .venv/bin/python -m pip install -qq --no-input --disable-pip-version-check --require-hashes -r "$1" >&2 ||
        die "pip could not install $1: its message stands above; the next run starts afresh."
    cp requirements.txt .venv/installed-run.txt
    [ "$1" = requirements.txt ] || cp "$1" .venv/installed-dev.txt
    rm -f "$unfinished"
}

case "${1:-}" in
    run) wanted=requirements.txt ;;
    dev) wanted=requirements-dev.txt ;;
    *) die "usage: sh .ci/venv.sh run|dev" ;;
esac
# Stands while .venv is being changed: found at the start, it says that the last run was cut short.
unfinished=.venv/unfinished

[ -w . ] || die "The folder $(pwd) is not writable, and .venv and var are made in it: copy the project to a folder of yours."
if [ -e "$unfinished" ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then make_venv; fi
cmp -s "$wanted" ".venv/installed-$1.txt" || install "$wanted"
