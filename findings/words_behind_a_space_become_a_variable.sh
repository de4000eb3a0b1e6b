#!/bin/sh
# ansible-core 2.16.19 and 2.21.5.
#
# "-e name=VALUE" cuts a value with a space off at the space, also where the shell's quotes keep the argument together, as with
# -e "databases=DB1 DB2". The words behind the space are neither refused nor mentioned: they become an extra variable
# of the name _raw_params. A playbook that has to notice can look for that variable.
#
# Seen: with -e "databases=DB1 DB2 DB3", databases is DB1, _raw_params is "DB2 DB3", there is no warning, and the exit status is 0.
# With a second pair of quotes (-e "databases='DB1 DB2 DB3'") it is whole, and _raw_params isn't defined.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "databases <{{ databases }}> rest <{{ _raw_params | default('undefined') }}>"
YML

for version in 2.16.19 2.21.5; do
    core "$version"
    play "$version" one -e 'databases=DB1 DB2 DB3' play.yml
    [ "$status" = 0 ] || changed "ansible-core $version: exit status $status instead of 0"
    grep -qF 'databases <DB1> rest <DB2 DB3>' "$temp/output" || changed "ansible-core $version: another value than stated"
    ! grep -qi 'warn' "$temp/output" || changed "ansible-core $version: it warns"
    play "$version" one -e "databases='DB1 DB2 DB3'" play.yml
    grep -qF 'databases <DB1 DB2 DB3> rest <undefined>' "$temp/output" ||
        changed "ansible-core $version: another value than stated, with two pairs of quotes"
    echo "ansible-core $version: DB1 is the value, the rest is in _raw_params; exit status $status"
done
echo "$finding: as stated"
