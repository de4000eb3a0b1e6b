#!/bin/sh
# molecule 26.10.0 with ansible-core 2.19.14 and the default driver.
#
# molecule gives each ansible-playbook that it runs "--skip-tags molecule-notest,notest". So ansible_skip_tags is never
# empty under molecule, and a role that refuses to be run in part (it asserts that no tags are skipped) fails there and
# nowhere else. "provisioner: options: {skip-tags: false}" in the scenario's molecule.yml takes it away for converge.
#
# Seen: a scenario whose converge.yml only shows ansible_skip_tags prints both tags, and prints none with that setting.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

version=2.19.14
core "$version"
if ! "$temp/$version/bin/python" -m pip install -qq --disable-pip-version-check molecule==26.10.0; then
    echo "$finding: not tried, molecule can't be installed." >&2
    exit 2
fi
mkdir -p "$temp/molecule/plain" "$temp/molecule/unset"
for scenario in plain unset; do
    cat >"$temp/molecule/$scenario/converge.yml" <<'YML'
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "skipped tags: {{ ansible_skip_tags | sort | join(' ') }}."
YML
    cat >"$temp/molecule/$scenario/molecule.yml" <<'YML'
driver:
  name: default
platforms:
  - name: localhost
scenario:
  test_sequence: [converge]
YML
done
cat >>"$temp/molecule/unset/molecule.yml" <<'YML'
provisioner:
  name: ansible
  options:
    skip-tags: false
YML

# converged SCENARIO: what its converge shows.
converged() {
    (cd "$temp" && PATH="$temp/$version/bin:$PATH" HOME="$temp" "$temp/$version/bin/molecule" converge -s "$1") \
        >"$temp/output" 2>&1 || changed "molecule converge of scenario $1 fails"
    grep -o 'skipped tags: [^"]*\.' "$temp/output"
}

[ "$(converged plain)" = 'skipped tags: molecule-notest notest.' ] || changed "other tags are skipped than stated"
[ "$(converged unset)" = 'skipped tags: .' ] || changed "skip-tags: false doesn't take them away"
echo "$finding: as stated"
