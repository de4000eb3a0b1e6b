#!/bin/sh
# The runbooks with power controllers that are none, in an environment of its own: devices.sh [pytest arguments].
# The environment is large: PyPI has community.general, whose modules the hooks use, only within the package ansible.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
venv=$root/.venv-devices
stamp=$venv/.tests
if [ ! -e "$stamp" ] || [ -n "$(find requirements*.txt tests/requirements*.txt -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" 11 13
    echo "installing what make devices needs into $venv ..."
    "$venv/bin/python" -m pip install --quiet -r tests/requirements-devices.txt
    touch "$stamp"
fi
tests/gates/ipmi_sim.sh "$venv/openipmi"
# shellcheck source=tests/gates/in_venv.sh
. tests/gates/in_venv.sh
PATH=$venv/openipmi/bin:$PATH
# -rs: what was skipped is said, with its reason.
exec "$venv/bin/python" -m pytest -q -rs -o pythonpath="$venv/collections" -o cache_dir="$venv/cache/pytest" \
    tests/devices "$@"
