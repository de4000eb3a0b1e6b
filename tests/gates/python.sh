#!/bin/sh
# Prints the path of a Python that can make a virtual environment: python.sh LOWEST HIGHEST (minor versions of 3).
# $PYTHON is asked first, if set, else what PATH and pyenv have. A name on PATH proves nothing (pyenv leaves shims of
# interpreters that aren't active), so each candidate is run.
lowest=$1 highest=$2
without_venv=

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3 \
        "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/3.*/bin/python3
fi
for name in "$@"; do
    found=$("$name" -I - "$lowest" "$highest" 2>/dev/null <<'PY'
import importlib.util, sys
low, high = (int(a) for a in sys.argv[1:])
if sys.version_info[0] == 3 and low <= sys.version_info[1] <= high:
    ready = all(importlib.util.find_spec(m) for m in ("venv", "ensurepip"))
    print(("ready " if ready else "bare ") + (getattr(sys, "_base_executable", None) or sys.executable))
PY
    ) || continue
    case $found in
        "ready "*) echo "${found#ready }"; exit 0 ;;
        "bare "*) without_venv=${found#bare } ;;
    esac
done
if [ -n "$without_venv" ]; then
    echo "$without_venv can't make a virtual environment because ensurepip is missing: install it" \
        "(Debian and Ubuntu: apt-get install python3-venv) and run this again." >&2
else
    echo "Python 3.$lowest to 3.$highest is needed and none was found: install one, or name it" \
        "(make PYTHON=/path/to/python3)." >&2
fi
exit 1
