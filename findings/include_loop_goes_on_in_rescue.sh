#!/bin/sh
# ansible-core 2.16.19, 2.19.14 and 2.21.5, strategies linear and host_pinned.
#
# include_tasks loops over three files, the second isn't there, all within a block that has a rescue. One would expect
# that the host goes to rescue at once. It does go to rescue, but the tasks of the other two files go with it: they run
# there, before the rescue's own tasks. So they run after the failure, and if one of them fails, nothing rescues it.
#
# Seen, as the order of tasks on one host:
#   both files' tasks work: include,first,third,rescue,always; exit status 0, recap: failed=1 rescued=0
#   the third's task fails: include,first,third,always; exit status 2, recap: failed=2 rescued=0
#
# The strategy marks the host as failed after it has tried all files and only then adds the tasks of those that it could
# load. A file that isn't there is not a failed task to it, so "rescued" isn't counted.
# Near: https://github.com/ansible/ansible/issues/23161, where all files of the loop are missing.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  strategy: "{{ way }}"
  tasks:
    - block:
        - name: include
          ansible.builtin.include_tasks: "{{ item }}"
          loop: [first.yml, missing.yml, third.yml]
        - name: rest of the block
          ansible.builtin.debug:
      rescue:
        - name: rescue
          ansible.builtin.debug:
      always:
        - name: always
          ansible.builtin.debug:
YML
cat >"$temp/first.yml" <<'YML'
- name: first
  ansible.builtin.debug:
YML
cat >"$temp/third.yml" <<'YML'
- name: third
  ansible.builtin.assert:
    that: third_works
YML

for version in 2.16.19 2.19.14 2.21.5; do
    core "$version"
    for way in linear host_pinned; do
        where="ansible-core $version, $way"
        play "$version" one -e "way=$way" -e '{"third_works": true}' play.yml
        seen="$(order); exit status $status, recap: $(failures)"
        [ "$seen" = "include,first,third,rescue,always; exit status 0, recap: failed=1 rescued=0" ] ||
            changed "$where: the other files' tasks no longer run between the failure and the rescue's own: $seen"
        echo "$where: $seen"

        play "$version" one -e "way=$way" -e '{"third_works": false}' play.yml
        seen="$(order); exit status $status, recap: $(failures)"
        [ "$seen" = "include,first,third,always; exit status 2, recap: failed=2 rescued=0" ] ||
            changed "$where: a task of an included file that fails is no longer a failure in the rescue: $seen"
        echo "$where, third fails: $seen"
    done
done
echo "$finding: as stated"
