#!/usr/bin/env bash
# galaxy-importer over a tarball: importer.sh TARBALL. It does what Galaxy does with an upload: reads the metadata, loads the
# documentation, lints. Every warning fails. Its ansible-test part is off, as it is by default: it wants containers, and
# `make sanity` runs the same tests.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd -P)
tarball=$(realpath "$1")
venv=$root/.venv-release
cd "$root"
tests/gates/release_venv.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$scratch"
status=0
env -i HOME="$scratch" PATH="$venv/bin:/usr/bin:/bin" LC_ALL=C.UTF-8 GALAXY_IMPORTER_RUN_FLAKE8=false \
    "$venv/bin/python" - "$tarball" >log 2>&1 <<'PY' || status=$?
# It gives ansible-lint three minutes, which a busy machine may need ten times over: nothing here depends on speed.
import subprocess
import sys

from galaxy_importer.main import main

impatient = subprocess.Popen.communicate
subprocess.Popen.communicate = lambda self, input=None, timeout=None: impatient(self, input, timeout and timeout * 10)
sys.exit(main())
PY
if [ "$status" -ne 0 ] || grep -nE '^(WARNING|ERROR|CRITICAL)|Traceback' log; then
    echo "importer: it found fault with ${tarball##*/} (exit status $status); the end of its log:" >&2
    tail -n 20 log >&2
    exit 1
fi
# It goes on without what it doesn't find, so each part must have said that it ran.
for said in "Getting doc strings via ansible-doc" "ansible-lint run complete" "Importer processing completed successfully"; do
    if ! grep -qF "$said" log; then
        echo "importer: its log doesn't say \"$said\"" >&2
        tail -n 20 log >&2
        exit 1
    fi
done
echo "importer: nothing to say against ${tarball##*/}; $(grep -c '^Loading' log) files loaded"
