#!/bin/sh
# Makes .venv-CORE, which has another ansible-core and what the pytest gates need: core_venv.sh CORE.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
core=$1
case $core in
    2.16 | 2.17) lowest=11 highest=12 ;;
    2.18 | 2.19) lowest=11 highest=13 ;;
    2.20 | 2.21) lowest=12 highest=14 ;;
    *) echo "ansible-core $core: known are 2.16 to 2.21." >&2; exit 2 ;;
esac
cd "$root"
venv=$root/.venv-$core
stamp=$venv/.tests
if [ ! -e "$stamp" ] || [ -n "$(find requirements.txt requirements-simulator.txt tests/requirements-pytest.txt -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" "$lowest" "$highest"
    echo "installing ansible-core $core into $venv ..."
    "$venv/bin/python" -m pip install --quiet "ansible-core~=$core.0" -r requirements-simulator.txt -r tests/requirements-pytest.txt
    touch "$stamp"
fi
