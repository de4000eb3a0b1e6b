#!/usr/bin/env bash
# ansible-test sanity, without containers and without ignore entries: sanity.sh VENV [arguments of ansible-test].
# ansible-test wants a git checkout whose path ends in ansible_collections/dbfleet/cluster, so the work tree is copied:
# what is tracked, and what would be if it were added.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd -P)
venv=$(cd "$1" && pwd)
shift

if find "$root/tests/sanity" -name 'ignore-*.txt' 2>/dev/null | grep .; then
    echo "sanity: ignore entries are not allowed here: repair what they hide." >&2
    exit 1
fi

python=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

sanity() ( # PLACE [arguments of ansible-test]: in a copy of the tree there; what it says is in PLACE/log too.
    place=$1
    shift
    tree=$place/ansible_collections/dbfleet/cluster
    home=$place/home
    log=$place/log
    rm -rf "$place/ansible_collections" "$log"
    mkdir -p "$tree" "$home/.ansible/test/cache" "$home/.config/pip"
    chmod 700 "$home"  # an index may be named with its password
    cd "$root"
    if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$root" ]; then
        # A file that is deleted but not yet committed is still listed.
        git ls-files -coz --exclude-standard | while IFS= read -r -d '' file; do
            if [ -e "$file" ]; then printf '%s\0' "$file"; fi
        done
    else
        find . \( -name '.venv*' -o -name .git -o -name .ansible -o -name __pycache__ -o -name dist -o -name '.*_cache' \
            -o -name .hypothesis -o -path ./tests/output \) -prune -o -type f -print0
    fi | tar --null -T - -cf - | tar -xf - -C "$tree"

    cd "$tree"
    if command -v git >/dev/null; then
        git -c init.defaultBranch=main init -q .
        git add -A
    fi

    # ansible-test fetches get-pip from a host that not everyone reaches. A file in its cache is taken instead.
    internal=$("$venv/bin/python" -c 'import ansible_test, os; print(os.path.join(list(ansible_test.__path__)[0], "_internal"))')
    versions=$(grep -hoE "\bpip='[0-9.]+'" "$internal"/*.py | grep -oE '[0-9][0-9.]*' | sort -u)
    if [ -z "$versions" ]; then
        echo "sanity: $internal no longer says which pip it bootstraps: see the cache of get-pip in tests/gates/sanity.sh." >&2
        exit 1
    fi
    for version in $versions; do
        printf '%s\n' 'import runpy, sys' 'sys.argv = ["ensurepip", "--default-pip"]; runpy.run_module("ensurepip", run_name="__main__")' \
            >"$home/.ansible/test/cache/get_pip_${version//./_}.py"
    done

    # It passes neither pip's variables nor the user's pip.conf on: what they say (an index of one's own) is written down.
    for file in "${PIP_CONFIG_FILE:-}" "${HOME:-/nonexistent}/.config/pip/pip.conf" "${HOME:-/nonexistent}/.pip/pip.conf"; do
        if [ -f "$file" ]; then mkdir -p "$home/.pip"; cp "$file" "$home/.pip/pip.conf"; break; fi
    done
    "$venv/bin/python" - >"$home/.config/pip/pip.conf" <<'PY'
import os
print("[global]")
for name, value in os.environ.items():
    if name.startswith("PIP_") and name not in ("PIP_CONFIG_FILE", "PIP_REQUIRE_VIRTUALENV"):
        print(f"{name[4:].lower().replace('_', '-')} = {value}")
PY

    status=0
    env -i HOME="$home" PATH="$venv/bin:/usr/local/bin:/usr/bin:/bin" LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
        "$venv/bin/ansible-test" sanity --venv --python "$python" --color no "$@" 2>&1 | tee "$log" |
        grep --line-buffered -vE '^(Collecting|Installing (collected|requirements)|Successfully|Looking in|Processing|Using cached| |WARNING: Location)' ||
        status=${PIPESTATUS[0]}
    exit "$status"
)

if [ $# -gt 0 ]; then
    sanity "$venv/sanity/others" "$@"
    exit
fi

# pylint takes about as long as all others, and neither uses more than one processor.
sanity "$venv/sanity/pylint" --test pylint &
pylint=$!
sanity "$venv/sanity/others" --skip-test pylint &
others=$!
status=0
wait "$pylint" || status=$?
wait "$others" || status=$?

# A test whose requirements can't be had is skipped with a warning only. Those that matter must have run.
logs=("$venv/sanity/pylint/log" "$venv/sanity/others/log")
grep -hE '^WARNING: .*([Ss]kip|not found)' "${logs[@]}" | sed 's/^/sanity, not run in full: /' || true
missing=
for test in action-plugin-docs ansible-doc compile empty-init import line-endings no-assert \
    no-get-exception no-illegal-filenames no-smart-quotes pep8 pylint replace-urlopen runtime-metadata shebang \
    shellcheck symlinks use-argspec-type-path use-compat-six validate-modules yamllint; do
    grep -qhE "^Running sanity test \"$test\"" "${logs[@]}" || missing="$missing $test"
done
if [ -n "$missing" ]; then
    echo "sanity: these tests must run and did not:$missing" >&2
    status=1
fi
echo "sanity: $(cat "${logs[@]}" | grep -c '^Running sanity test') tests run on Python $python, exit status $status"
exit "$status"
