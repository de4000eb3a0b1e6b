#!/bin/sh
# ansible-core 2.16.19, 2.19.4 and 2.21.5, ansible-inventory --list --export, an inventory plugin of one's own.
#
# A plugin sets a host's variable to a text, as plugins always did (inventory.set_variable). With 2.16 the export has
# the text. From 2.19 on it has a dictionary instead, {"__ansible_unsafe": "the text"}, while numbers stay as they are. A
# reader that isn't ansible-core (AWX's import of an inventory source, jq, a script) finds dictionaries where texts
# were. The attribute trusted_by_default = True of the plugin's class makes the export plain again; its texts are
# templates then, so the plugin has to see to it that none of them is one by accident.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

mkdir "$temp/plugins"
for name in usual trusting; do
    cat >"$temp/plugins/$name.py" <<PYTHON
DOCUMENTATION = """
name: $name
short_description: one host
description: one host
options:
  plugin: {description: this one, required: true}
"""
from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    NAME = "$name"
    trusted_by_default = "$name" == "trusting"

    def verify_file(self, path):
        return path.endswith("$name.yml")

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        inventory.add_host("db1")
        inventory.set_variable("db1", "text", "in order")
        inventory.set_variable("db1", "number", 7)
PYTHON
    echo "plugin: $name" >"$temp/$name.yml"
done
export ANSIBLE_INVENTORY_PLUGINS="$temp/plugins" ANSIBLE_INVENTORY_ENABLED=usual,trusting

for version in 2.16.19 2.19.4 2.21.5; do
    core "$version"
    for name in usual trusting; do
        "$temp/$version/bin/ansible-inventory" -i "$temp/$name.yml" --list --export \
            >"$temp/output" 2>"$temp/errors" || {
            cat "$temp/errors" >>"$temp/output"
            changed "ansible-core $version, $name: ansible-inventory failed"
        }
        seen=$("$temp/$version/bin/python" -c 'import json, sys
print(json.dumps(json.load(sys.stdin)["_meta"]["hostvars"]["db1"], sort_keys=True))' <"$temp/output")
        expected='{"number": 7, "text": "in order"}'
        case $version-$name in
            2.16.*) ;;
            *-usual) expected='{"number": 7, "text": {"__ansible_unsafe": "in order"}}' ;;
        esac
        [ "$seen" = "$expected" ] || changed "ansible-core $version, $name: it exports $seen, not $expected"
        echo "ansible-core $version, $name: $seen"
    done
done
echo "$finding: as stated"
