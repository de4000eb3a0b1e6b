#!/bin/sh
# Unit and integration tests under another ansible-core, in an environment of its own: matrix.sh CORE [pytest arguments].
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
core=$1
shift
case $core in
    2.16 | 2.17) lowest=11 highest=12 ;;
    2.18 | 2.19) lowest=11 highest=13 ;;
    2.20 | 2.21) lowest=12 highest=14 ;;
    *) echo "CORE=$core: known are 2.16 to 2.21." >&2; exit 2 ;;
esac
cd "$root"
venv=$root/.venv-$core
stamp=$venv/.tests
if [ ! -e "$stamp" ] || [ -n "$(find requirements.txt tests/requirements-pytest.txt -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" "$lowest" "$highest"
    echo "installing ansible-core $core into $venv ..."
    "$venv/bin/python" -m pip install --quiet "ansible-core~=$core.0" -r requirements.txt -r tests/requirements-pytest.txt
    touch "$stamp"
fi
PATH=$venv/bin:$PATH
PYTHONPATH=$venv/collections
ANSIBLE_COLLECTIONS_PATH=$venv/collections
ANSIBLE_HOME=$venv/ansible
ANSIBLE_CONFIG=$venv/ansible/ansible.cfg
ANSIBLE_REMOTE_TEMP=$venv/ansible/tmp
ANSIBLE_ASYNC_DIR=$venv/ansible/async
export PATH PYTHONPATH ANSIBLE_COLLECTIONS_PATH ANSIBLE_HOME ANSIBLE_CONFIG ANSIBLE_REMOTE_TEMP ANSIBLE_ASYNC_DIR
"$venv/bin/ansible" --version | sed -n 1p
exec "$venv/bin/python" -m pytest -q -o pythonpath="$venv/collections" -o cache_dir="$venv/cache/pytest" \
    tests/unit tests/integration "$@"
