#!/bin/sh
# ansible-core 2.16.19 and 2.21.5, strategies linear, free and host_pinned, stdout callback default.
#
# Under "free" and "host_pinned" the line "TASK [name]" comes with the first result of the task, not when the task
# begins. For as long as a task runs, its name is nowhere in the output: a task of an hour is an hour of silence, and
# who waits for the line of a task to know that it runs waits until it has ended. Under "linear" the line comes first.
# The documentation of the strategies speaks of the order of tasks and hosts alone.
#
# Seen: a task that looks for its own line in the output of the run finds it under linear (1), and finds none under free
# and host_pinned (0). At the end the line is there in all three.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  strategy: "{{ way }}"
  tasks:
    - name: slow
      ansible.builtin.shell: sleep 2; grep -cF 'TASK [slow]' "$OUTPUT" || true
      changed_when: false
      register: seen
    - name: "found {{ seen.stdout }}"
      ansible.builtin.debug:
YML
export OUTPUT="$temp/output"

for version in 2.16.19 2.21.5; do
    core "$version"
    for way in linear free host_pinned; do
        play "$version" one -e "way=$way" play.yml
        where="ansible-core $version, $way"
        [ "$status" = 0 ] || changed "$where: exit status $status"
        ran slow || changed "$where: the task is not named at the end either"
        expected=0
        [ "$way" != linear ] || expected=1
        grep -qF "TASK [found $expected]" "$temp/output" || changed "$where: while it ran, the task found another number than $expected"
        echo "$where: while the task runs, its line is there $expected times"
    done
done
echo "$finding: as stated"
