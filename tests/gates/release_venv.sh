#!/bin/sh
# Makes .venv-release, which has what only the importer and the release need.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
venv=$root/.venv-release
stamp=$venv/.release
if [ ! -e "$stamp" ] || [ -n "$(find tests/requirements-release.txt -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" 11 13
    echo "installing what a release needs into $venv ..."
    "$venv/bin/python" -m pip install --quiet -r tests/requirements-release.txt
    touch "$stamp"
fi
