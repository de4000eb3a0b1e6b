#!/bin/sh
# ansible-core 2.16.19 and 2.21.5.
#
# ansible-core throws away the stats of a task that fails, also where the failure is ignored or rescued and the run ends
# well. So a set_stats with "failed_when", or an action that returns ansible_stats together with its failure, tells
# nothing to the callbacks and nothing to the next job of an AWX workflow (its artifacts). Facts (ansible_facts) go the
# same way; only the registered result of the task keeps both. Stats of a failure have to be set by a task of their own,
# which doesn't fail.
#
# Seen: three tasks set a stat: one is ok, one fails and is ignored, one fails and is rescued. The custom stats at the end
# contain the first one alone, and the exit status is 0. A fact of a failed task is gone in the next task, where the
# registered result still has it.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

printf '[defaults]\nshow_custom_stats = true\n' >"$temp/ansible.cfg"
cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.set_stats:
        data: {of_ok: here}
    - ansible.builtin.set_stats:
        data: {of_ignored: here}
      failed_when: true
      ignore_errors: true
    - block:
        - ansible.builtin.set_stats:
            data: {of_rescued: here}
          failed_when: true
      rescue:
        - ansible.builtin.set_fact:
            of_failed: here
          failed_when: true
          ignore_errors: true
          register: result
        - ansible.builtin.debug:
            msg: "fact {{ of_failed | default('lost') }}, registered {{ result.ansible_facts.of_failed }}"
YML

for version in 2.16.19 2.21.5; do
    core "$version"
    play "$version" one play.yml
    [ "$status" = 0 ] || changed "ansible-core $version: exit status $status instead of 0"
    grep -qF 'RUN: { "of_ok": "here"}' "$temp/output" || changed "ansible-core $version: other stats than stated"
    grep -qF 'fact lost, registered here' "$temp/output" || changed "ansible-core $version: other facts than stated"
    echo "ansible-core $version: $(grep -F 'RUN: {' "$temp/output" | tr -d '\t')"
done
echo "$finding: as stated"
