#!/bin/sh
# ansible-core 2.16.19 and 2.21.5.
#
# What one imports from a collection (plugin_utils, module_utils) is compiled from its source in each process that
# imports it, in each run anew: Ansible's collection loader neither writes nor reads bytecode. A plain package that the
# same task imports from PYTHONPATH has its __pycache__ after the first run and isn't compiled in the second.
# A plugin's own file (plugins/action/NAME.py) is the exception: the plugin loader loads it as Python does, and its
# bytecode is kept.
#
# Each task of each host runs in a worker, a process of its own that the main process forks. So an import within run()
# is paid once per task and host. An import at the top of an action plugin is paid once per run: the strategy
# loads the class of the action in the main process, before it forks.
#
# Seen in the second run, with 2 tasks on 2 hosts: the plugin is imported once, in the main process, and with it the
# module at its top compiled once; the module in run() is compiled 4 times, in 4 workers, which are all children of the
# main process; of the plain package nothing is compiled. __pycache__ exists in plugins/action and in the plain package,
# not in plugins/plugin_utils.
#
# An audit hook of Python counts: it hears of every compilation. Nothing is patched.
# shellcheck source=findings/core.sh
. "$(dirname -- "$0")/core.sh"

plugins=$temp/collections/ansible_collections/acme/probe/plugins
mkdir -p "$plugins/action" "$plugins/plugin_utils" "$temp/plain/plain_package"
for module in "$plugins/plugin_utils/at_top" "$plugins/plugin_utils/in_run" "$temp/plain/plain_package/__init__"; do
    echo 'VALUE = 1' >"$module.py"
done
cat >"$plugins/action/probe.py" <<'PY'
import os
import sys


def note(what):
    with open(os.environ["PROBE_LOG"], "a") as log:
        log.write("%s pid=%d parent=%d\n" % (what, os.getpid(), os.getppid()))


def listen(event, args):
    if event == "compile":
        for part in ("acme/probe/plugins/", "plain_package/"):
            if part in str(args[1]):
                note("compiled " + part + str(args[1]).split(part)[-1])


sys.addaudithook(listen)
note("imported plugin")

from ansible.plugins.action import ActionBase
from ansible_collections.acme.probe.plugins.plugin_utils import at_top


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        from ansible_collections.acme.probe.plugins.plugin_utils import in_run
        import plain_package

        note("run")
        return {"changed": False, "sum": at_top.VALUE + in_run.VALUE + plain_package.VALUE}
PY
cat >"$temp/play.yml" <<'YML'
- hosts: all
  gather_facts: false
  tasks:
    - acme.probe.probe:
    - acme.probe.probe:
YML
export PROBE_LOG="$temp/log" ANSIBLE_COLLECTIONS_PATH="$temp/collections" PYTHONPATH="$temp/plain"

# pids WHAT FIELD: of each line that notes it, the process (pid) or the process's parent (parent).
pids() {
    sed -n "s|^$1 .*$2=\([0-9]*\).*|\1|p" "$temp/log" | sort
}

# count WHAT: how often it was noted.
count() {
    grep -c "^$1 " "$temp/log" || true
}

for version in 2.16.19 2.21.5; do
    where="ansible-core $version"
    core "$version"
    find "$temp/collections" "$temp/plain" -name __pycache__ -prune -exec rm -r {} +
    for _ in 1 2; do
        : >"$temp/log"
        play "$version" one,two play.yml
        if [ "$status" != 0 ] || [ "$(count run)" != 4 ]; then changed "$where: the play itself fails"; fi
    done
    cat "$temp/log" >>"$temp/output"

    main=$(pids 'imported plugin' pid)
    if [ "$(count 'imported plugin')" != 1 ] || [ "$(pids run parent | uniq)" != "$main" ]; then
        changed "$where: the action plugin is no longer imported once, in the process that forks the workers"
    fi
    [ "$(pids run pid | uniq | wc -l)" -eq 4 ] || changed "$where: the tasks no longer run in a worker each"
    [ "$(pids 'compiled acme/probe/plugins/plugin_utils/at_top.py' pid)" = "$main" ] ||
        changed "$where: a module at the top of an action plugin is no longer compiled once, in the main process"
    [ "$(pids 'compiled acme/probe/plugins/plugin_utils/in_run.py' pid)" = "$(pids run pid)" ] ||
        changed "$where: a module that run() imports is no longer compiled once in each worker"
    [ "$(count 'compiled plain_package/__init__.py')" = 0 ] ||
        changed "$where: a plain package is compiled again in the second run, so the comparison proves nothing"
    caches=$(cd "$temp" && find collections plain -name __pycache__ | sort | paste -sd' ' -)
    [ "$caches" = "${plugins#"$temp/"}/action/__pycache__ plain/plain_package/__pycache__" ] ||
        changed "$where: bytecode is kept in other places: $caches"

    echo "$where, second run: plugin imported once, at_top.py compiled once (both in main process $main);" \
        "in_run.py compiled $(count 'compiled acme/probe/plugins/plugin_utils/in_run.py') times, in workers" \
        "$(pids run pid | paste -sd' ' -); plain package 0 times; no __pycache__ in plugin_utils"
done
echo "$finding: as stated"
