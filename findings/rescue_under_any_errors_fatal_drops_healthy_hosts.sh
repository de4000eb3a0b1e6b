#!/bin/sh
# ansible-core 2.17.14 and 2.21.5 (those between do the same; 2.16.19 doesn't), strategy linear.
#
# With any_errors_fatal, one host fails in a block that has a rescue. Then every host leaves the block and runs the rescue,
# also those that did not fail: for them the rest of the block is left out, and the rescue has no ansible_failed_task. The
# failure counts as rescued, so the play goes on with all hosts. The next play has only the host that had failed: the
# healthy hosts are missing from it, without a message and with failed=0 in the recap. Only the exit status 2 shows it.
# ansible-core 2.16 runs the rescue on the host that failed alone, and the next play on both, and exits with 0.
#
# Seen: one fails and is rescued, two is healthy. "rest of the block" runs on neither, "rescue" and "behind the block" run on both,
# and "next play" runs on one alone. The recap says failed=0 for both, and the exit status is 2.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  any_errors_fatal: true
  strategy: linear
  tasks:
    - block:
        - name: work
          ansible.builtin.assert:
            that: inventory_hostname != 'one'
        - name: rest of the block
          ansible.builtin.debug:
      rescue:
        - name: rescue
          ansible.builtin.debug:
            msg: "failed task: {{ ansible_failed_task.name | default('none') }}."
    - name: behind the block
      ansible.builtin.debug:
- hosts: all
  gather_facts: false
  tasks:
    - name: next play
      ansible.builtin.debug:
YML

for version in 2.17.14 2.21.5; do
    core "$version"
    play "$version" one,two play.yml
    where="ansible-core $version"
    [ "$status" = 2 ] || changed "$where: exit status $status instead of 2"
    ! ran 'rest of the block' || changed "$where: a host goes on in the block"
    for host in one two; do
        for task in rescue 'behind the block'; do
            ran_on "$host" "$task" || changed "$where: \"$task\" doesn't run on $host"
        done
        grep -Eq "^$host .* failed=0 " "$temp/output" || changed "$where: $host counts as failed"
    done
    grep -qF 'failed task: work.' "$temp/output" || changed "$where: no rescue knows the failed task"
    grep -qF 'failed task: none.' "$temp/output" || changed "$where: the healthy host has a failed task, too"
    ran_on one 'next play' || changed "$where: the next play is without the host that failed"
    ! ran_on two 'next play' || changed "$where: the next play has the healthy host, too"
    echo "$where: the rescue runs on both, the next play on the host that failed alone; exit status $status"
done
version=2.16.19
core "$version"
play "$version" one,two play.yml
[ "$status" = 0 ] || changed "ansible-core $version: exit status $status instead of 0"
for task in 'rest of the block' 'next play'; do
    ran_on two "$task" || changed "ansible-core $version: \"$task\" doesn't run on the healthy host"
done
! ran_on two rescue || changed "ansible-core $version: the healthy host runs the rescue"
echo "ansible-core $version: the healthy host runs no rescue, and the next play has both hosts"
echo "$finding: as stated"
