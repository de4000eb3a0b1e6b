# shellcheck shell=sh
# Sourced by the findings about ansible-core. It makes a temp folder that is gone when the script ends. In it "core"
# installs a version of ansible-core and "play" runs it. Settings of the user have no say there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
finding=$(basename "$0" .sh)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 2' HUP INT TERM

for name in $(env | sed -n -e 's/^\(ANSIBLE_[A-Z0-9_]*\)=.*/\1/p' -e 's/^\(PYTHON[A-Z0-9_][A-Z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
: >"$temp/ansible.cfg"
export ANSIBLE_CONFIG="$temp/ansible.cfg" ANSIBLE_HOME="$temp/home" ANSIBLE_REMOTE_TEMP="$temp/home/tmp"
export ANSIBLE_NOCOLOR=1

# core VERSION: installs it.
core() {
    case $1 in
        2.16.* | 2.17.*) set -- "$1" 11 12 ;;
        2.18.* | 2.19.*) set -- "$1" 11 13 ;;
        2.20.* | 2.21.*) set -- "$1" 12 14 ;;
        *) echo "$finding: which Python does ansible-core $1 want? Add it to core.sh." >&2; exit 2 ;;
    esac
    if ! { python=$("$here/../tests/gates/python.sh" "$2" "$3") && "$python" -m venv "$temp/$1" &&
        "$temp/$1/bin/python" -m pip install -qq --disable-pip-version-check "ansible-core==$1"; }; then
        echo "$finding: not tried, ansible-core $1 can't be installed." >&2
        exit 2
    fi
}

# play VERSION HOSTS ARGUMENTS...: ansible-playbook, its output in $temp/output, its exit status in $status.
# shellcheck disable=SC2034  # the findings read it
play() {
    with=$1 hosts=$2
    shift 2
    status=0
    (cd "$temp" && "$temp/$with/bin/ansible-playbook" -i "$hosts," -c local \
        -e '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}' "$@") >"$temp/output" 2>&1 || status=$?
}

# ran NAME: did a task of this name begin?
ran() {
    grep -qF "TASK [$1]" "$temp/output"
}

# ran_on HOST NAME: did it run on this host and end well?
ran_on() {
    awk -v host="ok: [$1]" -v task="TASK [$2]" '
        /^TASK \[|^PLAY / { inside = index($0, task) == 1 }
        inside && index($0, host) == 1 { found = 1 }
        END { exit !found }' "$temp/output"
}

# order: names of the tasks, in the order in which they began, with a comma between them.
order() {
    sed -n 's/^TASK \[\(.*\)\].*/\1/p' "$temp/output" | paste -sd, -
}

# failures: what the recap counts of them.
failures() {
    grep -Eo '(failed|rescued)=[0-9]+' "$temp/output" | paste -sd' ' -
}

# changed SENTENCE: ends the script, because the behaviour is another one now.
changed() {
    cat "$temp/output" >&2
    echo "$finding: CHANGED: $*" >&2
    exit 1
}
