#!/bin/sh
# ansible-core 2.16.19 and 2.21.5, strategies linear and free.
#
# "meta: end_host" leaves the host's play at once: no "always" of the blocks around it runs, inner or outer. The
# documentation says that the play ends for the host without failing it, but not that "always" isn't always. What
# "always" should have released stays held, and the run exits with 0.
# In a rescue it does the same: the rest of the rescue and every "always" are left out, the failure counts as rescued,
# and the run exits with 0.
#
# Seen: host one ends, host two doesn't. On two, "always" of both blocks runs. On one, neither does. The recap says
# failed=0 for it, the next play has it again, and the exit status is 0.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  strategy: "{{ way }}"
  tasks:
    - block:
        - block:
            - name: work
              ansible.builtin.assert:
                that: works
            - ansible.builtin.meta: end_host
              when: inventory_hostname == 'one'
            - name: rest of the block
              ansible.builtin.debug:
          rescue:
            - ansible.builtin.meta: end_host
              when: inventory_hostname == 'one'
            - name: rescue
              ansible.builtin.debug:
          always:
            - name: inner always
              ansible.builtin.debug:
      always:
        - name: outer always
          ansible.builtin.debug:
- hosts: all
  gather_facts: false
  tasks:
    - name: later play
      ansible.builtin.debug:
YML

for version in 2.16.19 2.21.5; do
    core "$version"
    for way in linear free; do
        for works in true false; do
            [ "$works" = true ] && of=block next='rest of the block' || of=rescue next=rescue
            where="ansible-core $version, $way, end_host in a $of"
            play "$version" one,two -e "way=$way" -e "{\"works\": $works}" play.yml
            [ "$status" = 0 ] || changed "$where: exit status $status instead of 0"
            for task in "$next" 'inner always' 'outer always'; do
                ran_on two "$task" || changed "$where: \"$task\" doesn't run on the host that goes on"
                ! ran_on one "$task" || changed "$where: \"$task\" runs on the host that ended"
            done
            ran_on one 'later play' || changed "$where: the next play is without the host that ended"
            grep -Eq '^one .* failed=0 ' "$temp/output" || changed "$where: the host that ended counts as failed"
            echo "$where: no \"always\" runs for that host; failed=0, exit status $status"
        done
    done
done
echo "$finding: as stated"
