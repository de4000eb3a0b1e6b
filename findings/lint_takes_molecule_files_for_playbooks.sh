#!/bin/sh
# ansible-lint 26.10.1 with ansible-core 2.19.14.
#
# ansible-lint takes each YAML file right below a scenario, extensions/molecule/NAME/*.yml but molecule.yml, for a
# playbook. A list of tasks, or a file of variables, that scenarios share fails there as one: "syntax-check". In a folder
# tasks or vars of the same scenario it is what it is.
#
# Seen: the same two valid files, for "include_tasks" and "vars_files", fail beside converge.yml and pass in tasks/ and
# vars/.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

version=2.19.14
core "$version"
if ! "$temp/$version/bin/python" -m pip install -qq --disable-pip-version-check ansible-lint==26.10.1; then
    echo "$finding: not tried, ansible-lint can't be installed." >&2
    exit 2
fi

# scenario TASKS VARS: a project with one scenario that uses these two files.
scenario() {
    project=$temp/project/$1
    mkdir -p "$project/extensions/molecule/one/tasks" "$project/extensions/molecule/one/vars"
    cat >"$project/extensions/molecule/one/converge.yml" <<YML
---
- name: Converge
  hosts: localhost
  gather_facts: false
  vars_files:
    - $2
  tasks:
    - name: Look
      ansible.builtin.include_tasks: $1
YML
    cat >"$project/extensions/molecule/one/$1" <<'YML'
---
- name: Show
  ansible.builtin.debug:
    var: answer
YML
    printf -- '---\nanswer: 42\n' >"$project/extensions/molecule/one/$2"
    (cd "$project" && git init -q . && git add . && PATH="$temp/$version/bin:$PATH" HOME="$temp" \
        "$temp/$version/bin/ansible-lint" --offline --nocolor) >"$temp/output" 2>&1
}

! scenario look.yml answers.yml || changed "files beside converge.yml pass"
for file in look.yml answers.yml; do
    if ! grep -q "syntax-check.*" "$temp/output" || ! grep -q "extensions/molecule/one/$file" "$temp/output"; then
        changed "$file fails otherwise than as a playbook"
    fi
done
scenario tasks/look.yml vars/answers.yml || changed "files in tasks/ and vars/ fail"
echo "$finding: as stated"
