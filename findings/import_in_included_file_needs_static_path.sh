#!/bin/sh
# ansible-core 2.16.19, 2.17.14 and 2.18.19: as stated. 2.19.14: works, as one would expect (so does 2.19.0).
#
# A task registers a path, include_tasks includes that file (include_tasks: "{{ made.path }}"), and the file contains an
# import_tasks of an absolute path, which needs no help from the including path. Up to 2.18 the whole run ends with
# exit status 4 all the same: also for the host that would skip the include, also within a block that has a rescue, and
# no later play runs. To load an import, the parser templates the path of the include around it, and it knows no
# variables of a host. Its message says so: "the parent dynamic include cannot utilize host facts or variables from
# inventory". One wouldn't guess it from a registered variable.
#
# The way out: an include whose path can be templated without the variable, too. What it then says doesn't matter for
# an import of an absolute path: "{{ (made | default({})).path | default('x') }}".
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

for path in '{{ made.path }}' "{{ (made | default({})).path | default('x') }}"; do
    [ "$path" = '{{ made.path }}' ] && name=plain || name=guarded
    cat >"$temp/$name.yml" <<YML
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - name: register
          ansible.builtin.file:
            path: $temp/outer.yml
            state: file
          register: made
        - name: include
          ansible.builtin.include_tasks: "$path"
          when: inventory_hostname == 'one'
      rescue:
        - name: rescue
          ansible.builtin.debug:
    - name: after
      ansible.builtin.debug:
- hosts: all
  gather_facts: false
  tasks:
    - name: later play
      ansible.builtin.debug:
YML
done
cat >"$temp/outer.yml" <<YML
- ansible.builtin.import_tasks: $temp/inner.yml
YML
cat >"$temp/inner.yml" <<'YML'
- name: inner
  ansible.builtin.debug:
YML

message='Error when evaluating variable in dynamic parent include path: {{ made.path }}'

works() {
    [ "$status" = 0 ] && [ "$(order)" = "register,include,inner,after,later play" ]
}

for version in 2.16.19 2.17.14 2.18.19 2.19.14; do
    core "$version"
    play "$version" one,two plain.yml
    case $version in
        2.19.*)
            works || changed "ansible-core $version: a registered path of a file that imports fails: $(order)"
            ;;
        *)
            seen="exit status $status, tasks $(order)"
            if [ "$seen" != "exit status 4, tasks register,include" ] || ! grep -qF "$message" "$temp/output"; then
                changed "ansible-core $version: the run goes on where a registered path includes a file that imports," \
                    "or says something else: $seen"
            fi
            ;;
    esac
    echo "ansible-core $version, {{ made.path }}: exit status $status, tasks $(order)"
    play "$version" one,two guarded.yml
    works || changed "ansible-core $version: with a default in the path the import fails, too: $(order)"
    echo "ansible-core $version, with a default: exit status $status, tasks $(order)"
done
echo "$finding: as stated"
