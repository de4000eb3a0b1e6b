#!/bin/sh
# Modules and runbooks over a real sshd: bastion.sh [pytest arguments]. Where there can't be one, it says so and is
# skipped. Make has set the environment.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
venv=$root/.venv

sshd() {
    PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd >/dev/null
}
if ! sshd && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing openssh-server ..."
    apt-get update -qq || true
    # Its own service is not started: this gate starts an sshd of its own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends openssh-server openssh-client >/dev/null || true
fi
if ! sshd; then
    echo "bastion: skipped, for there is no sshd (Debian and Ubuntu: apt-get install openssh-server)"
    exit 0
fi
some=
for minor in 9 13; do
    if tests/gates/far_python.sh "$venv/far" "$minor"; then
        some=yes
    else
        echo "bastion: without Python 3.$minor, which wasn't found on PATH or in pyenv"
    fi
done
if [ -z "$some" ]; then
    echo "bastion: skipped, for there is no Python for the far side"
    exit 0
fi
# -rs: what was skipped is said, with its reason.
exec "$venv/bin/python" -m pytest -q -rs -n "$WORKERS" --dist worksteal tests/bastion "$@"
