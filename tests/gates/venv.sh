#!/bin/sh
# Makes (or adopts) a virtual environment of the checkout and the path by which Ansible finds the collection in it:
# venv.sh DIRECTORY LOWEST HIGHEST (minor versions of Python 3).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
venv=$1

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$("$here/python.sh" "$2" "$3")
    "$python" -m venv "$venv"
fi
mkdir -p "$venv/collections/ansible_collections/dbfleet" "$venv/ansible/tmp"
link=$venv/collections/ansible_collections/dbfleet/cluster
# A copied or moved checkout brings a link to its old place along.
if [ "$(CDPATH='' cd -- "$link" 2>/dev/null && pwd -P)" != "$(cd -- "$root" && pwd -P)" ]; then
    rm -f "$link"
    ln -s "$root" "$link"
fi
# An empty file keeps the user's own ansible.cfg out of the gates.
: >"$venv/ansible/ansible.cfg"
