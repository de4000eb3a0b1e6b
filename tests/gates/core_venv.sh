#!/bin/sh
# Makes an environment that has another ansible-core and what the pytest gates need: .venv-CORE, or .venv-CORE-PYTHON
# where a Python is named: core_venv.sh CORE [PYTHON].
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
# shellcheck source=tests/gates/cores.sh
. "$root/tests/gates/cores.sh"
core=$1
core_range "$core"
cd "$root"
venv=$root/.venv-$core
if [ $# -gt 1 ]; then
    venv=$venv-$2
    lowest=${2#3.} highest=${2#3.}
fi
stamp=$venv/.tests
if [ ! -e "$stamp" ] || [ -n "$(find requirements.txt requirements-simulator.txt tests/requirements-pytest.txt -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" "$lowest" "$highest"
    echo "installing ansible-core $core into $venv ..."
    "$venv/bin/python" -m pip install --quiet "ansible-core~=$core.0" -r requirements-simulator.txt -r tests/requirements-pytest.txt
    touch "$stamp"
fi
