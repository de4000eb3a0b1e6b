#!/bin/sh
# ansible-core 2.16.19 and 2.21.5.
#
# "host_pattern_mismatch = error" (ANSIBLE_HOST_PATTERN_MISMATCH) ends a run whose play names a host or a group that isn't
# in the inventory. It looks at each part of a pattern alone. A pattern whose parts all match, and which leaves no host
# as a whole ("one:&two", "one:!one"), passes: the play is skipped, and the run that did nothing exits with 0.
#
# Seen: "three" and "x*" end with an error and exit status 1. "one:&two" and "one:!one" show "skipping: no hosts matched" and
# exit with 0.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

printf '[inventory]\nhost_pattern_mismatch = error\n' >"$temp/ansible.cfg"
cat >"$temp/play.yml" <<'YML'
- hosts: "{{ pattern }}"
  gather_facts: false
  tasks:
    - name: work
      ansible.builtin.debug:
YML

for version in 2.16.19 2.21.5; do
    core "$version"
    for pattern in 'three' 'x*'; do
        play "$version" one,two -e "{\"pattern\": \"$pattern\"}" play.yml
        [ "$status" != 0 ] || changed "ansible-core $version: $pattern isn't refused"
        echo "ansible-core $version: $pattern: exit status $status"
    done
    for pattern in 'one:&two' 'one:!one'; do
        play "$version" one,two -e "{\"pattern\": \"$pattern\"}" play.yml
        [ "$status" = 0 ] || changed "ansible-core $version: $pattern ends with exit status $status"
        grep -qF 'skipping: no hosts matched' "$temp/output" || changed "ansible-core $version: $pattern isn't skipped"
        ! ran work || changed "ansible-core $version: $pattern leaves a host"
        echo "ansible-core $version: $pattern: no host, exit status $status"
    done
done
echo "$finding: as stated"
