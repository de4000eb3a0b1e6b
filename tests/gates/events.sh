#!/bin/sh
# ansible-rulebook against simulated domains, in an environment of its own: events.sh [pytest arguments].
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
venv=$root/.venv-events
stamp=$venv/.tests

# ansible-rulebook's rules run in Java 17 or newer.
java_home() {
    for java in "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
        version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') || continue
        if [ "${version:-0}" -ge 17 ]; then
            dirname "$(dirname "$(readlink -f "$java")")"
            return
        fi
    done
    return 1
}
if ! JAVA_HOME=$(java_home); then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "Java 17 or newer is needed and none was found: install it" \
            "(Debian and Ubuntu: apt-get install openjdk-17-jre-headless), or name it (JAVA_HOME=...)." >&2
        exit 1
    fi
    echo "installing Java ..."
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null ||
        apt-get install -y -qq --no-install-recommends openjdk-21-jre-headless >/dev/null
    JAVA_HOME=$(java_home)
fi
export JAVA_HOME

needs="$0 requirements.txt requirements-simulator.txt
    tests/requirements-core.txt tests/requirements-pytest.txt tests/requirements-events.txt"
# shellcheck disable=SC2086  # they are words
if [ ! -e "$stamp" ] || [ -n "$(find $needs -newer "$stamp")" ]; then
    tests/gates/venv.sh "$venv" 11 13
    echo "installing ansible-rulebook into $venv ..."
    "$venv/bin/python" -m pip install --quiet -r requirements-simulator.txt -r tests/requirements-core.txt \
        -r tests/requirements-pytest.txt -r tests/requirements-events.txt
    touch "$stamp"
fi
# shellcheck source=tests/gates/in_venv.sh
. tests/gates/in_venv.sh
exec "$venv/bin/python" -m pytest -q -o pythonpath="$venv/collections" -o cache_dir="$venv/cache/pytest" tests/events "$@"
