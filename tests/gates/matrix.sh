#!/bin/sh
# Unit and integration tests under another ansible-core, in an environment of its own: matrix.sh CORE [pytest arguments].
# It has the time that the gates don't have: ansible-runner gets every slip of the hand, not one of each kind.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
core=$1
shift
cd "$root"
tests/gates/core_venv.sh "$core"
venv=$root/.venv-$core
# shellcheck source=tests/gates/in_venv.sh
. tests/gates/in_venv.sh
DBFLEET_SLIPS=all
export DBFLEET_SLIPS
"$venv/bin/ansible" --version | sed -n 1p
exec "$venv/bin/python" -m pytest -q -o pythonpath="$venv/collections" -o cache_dir="$venv/cache/pytest" \
    tests/unit tests/integration "$@"
