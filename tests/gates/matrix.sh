#!/usr/bin/env bash
# The gates under other ansible-cores and Pythons, in environments of their own: matrix.sh CORES [pytest arguments].
# CORES are one or more of them in one word ("2.16 2.21"), or "all". $PYTHONS ("3.12 3.13") and $PARTS (of sanity, unit,
# integration) pick some. One that fails doesn't end the run: the table at its end says what became of each.
# integration has the time that `make test` hasn't: ansible-runner gets every slip of the hand, not one of each kind.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd -P)
# shellcheck source=tests/gates/cores.sh
. "$root/tests/gates/cores.sh"
cores=$1
shift
if [ "$cores" = all ]; then cores=$CORES; fi
export DBFLEET_SLIPS=all
cd "$root"

one_part() ( # PART VENV [pytest arguments]
    part=$1
    venv=$2
    shift 2
    # shellcheck source=tests/gates/in_venv.sh
    . tests/gates/in_venv.sh
    own=(-q -o pythonpath="$venv/collections" -o cache_dir="$venv/cache/pytest")
    case $part in
        sanity) tests/gates/sanity.sh "$venv" ;;
        unit) "$venv/bin/python" -m pytest "${own[@]}" -n 2 tests/unit "$@" ;;
        integration) "$venv/bin/python" -m pytest "${own[@]}" -n "$WORKERS" --dist worksteal tests/integration "$@" ;;
        *) echo "matrix: PARTS has $part; known are sanity, unit and integration." >&2; exit 2 ;;
    esac
)

table=
failed=0
for core in $cores; do
    core_range "$core"
    for minor in 11 12 13; do
        if [ "$minor" -lt "$lowest" ] || [ "$minor" -gt "$highest" ]; then continue; fi
        case " ${PYTHONS:-3.$minor} " in *" 3.$minor "*) ;; *) continue ;; esac
        venv=$root/.venv-$core-3.$minor
        for part in ${PARTS:-sanity unit}; do
            echo "== ansible-core $core, Python 3.$minor: $part"
            begun=$SECONDS
            said=failed
            # An environment that can't be made is a failure too: nothing was tested there.
            if tests/gates/core_venv.sh "$core" "3.$minor"; then
                # set -e means nothing within a condition, so the part is a command of its own.
                set +e
                one_part "$part" "$venv" "$@"
                status=$?
                set -e
                if [ "$status" -eq 0 ]; then said=passed; fi
            fi
            if [ "$said" = failed ]; then failed=1; fi
            table+=$(printf '%-6s 3.%-4s %-12s %-7s %5d s' "$core" "$minor" "$part" "$said" "$((SECONDS - begun))")$'\n'
        done
    done
done
if [ -z "$table" ]; then
    echo "matrix: none of $cores runs on Python ${PYTHONS:-3.11 to 3.13}: nothing was tested." >&2
    exit 2
fi
printf '\n%-6s %-6s %-12s\n%s' core Python part "$table"
exit "$failed"
