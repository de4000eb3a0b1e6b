#!/usr/bin/env bash
# Makes a release from what is committed, and tries it as a user gets it: release.sh VENV.
# dist/ gets the tarball, a bill of materials (CycloneDX) and the checksums of both. They come there only when everything
# passed: the importer, an offline installation into an empty path, the demo and molecule with that installation.
#   WITHOUT_ADDRESS=1   the repository of galaxy.yml may be a placeholder
#   DRAFT=1             says what stands against a release, and goes on: dist/draft/ gets what a release would be
#   SCENARIOS="a b"     molecule runs these and not `status` alone; "all" runs all, about 3 minutes
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd -P)
venv=$(cd "$1" && pwd)
cd "$root"
goal=$root/dist
if ! "$venv/bin/python" tests/gates/release_ready.py; then
    if [ -z "${DRAFT:-}" ]; then
        echo "release: refused; nothing was made. DRAFT=1 makes a draft nevertheless." >&2
        exit 1
    fi
    goal=$root/dist/draft
    echo "release: a draft, for the reasons above"
fi
tests/gates/release_venv.sh

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Nothing of the checkout may be found by what runs below: neither its collection nor its settings.
unset PYTHONPATH ANSIBLE_COLLECTIONS_PATH ANSIBLE_CONFIG ANSIBLE_REMOTE_TEMP ANSIBLE_ASYNC_DIR
own_home=${HOME:-/nonexistent}  # pip's settings are there, an index of one's own among them
export ANSIBLE_HOME=$scratch/home HOME=$scratch/home
mkdir -p "$HOME" "$scratch/tree" "$scratch/out"

echo "== the tarball"
git archive HEAD | tar -xf - -C "$scratch/tree"
version=$("$venv/bin/python" -c 'import yaml; print(yaml.safe_load(open("galaxy.yml"))["version"])')
if [ "$goal" != "$root/dist" ]; then
    if ! grep -qE "^  $version:" changelogs/changelog.yaml; then
        (cd "$scratch/tree" && PATH=$venv/bin:$PATH "$venv/bin/antsibull-changelog" release --version "$version")
    elif compgen -G "$scratch/tree/changelogs/fragments/*.y*ml" >/dev/null; then
        # The version is released, so the fragments belong to the next one.
        version=${version%.*}.$((${version##*.} + 1))
        PATH=$venv/bin:$PATH "$scratch/tree/tests/gates/changelog.sh" "$venv" "$version"
    fi
fi
"$venv/bin/ansible-galaxy" collection build --output-path "$scratch/out" "$scratch/tree" >/dev/null
tarball=$scratch/out/dbfleet-cluster-$version.tar.gz
test -s "$tarball"

echo "== the importer"
tests/gates/importer.sh "$tarball"

echo "== installed offline, into an empty path"
export ANSIBLE_COLLECTIONS_PATH=$scratch/place
mkdir "$scratch/place"
"$venv/bin/ansible-galaxy" collection install --offline -p "$scratch/place" "$tarball"
"$venv/bin/ansible-galaxy" collection verify --offline "dbfleet.cluster:$version"
there=$("$venv/bin/ansible-galaxy" collection list --format json dbfleet.cluster)
"$venv/bin/python" - "$scratch/place/ansible_collections" "$there" <<'PY'
import json, sys
found = list(json.loads(sys.argv[2]))
if found != [sys.argv[1]]:
    sys.exit(f"release: Ansible finds the collection in {found}, not in {sys.argv[1]} alone")
PY
installed=$scratch/place/ansible_collections/dbfleet/cluster

echo "== the bill of materials"
"$venv/bin/python" -m venv --without-pip "$scratch/bare"
HOME=$own_home "$venv/bin/python" -m pip --python "$scratch/bare/bin/python" install --quiet -r "$installed/requirements.txt"
.venv-release/bin/cyclonedx-py environment --output-reproducible --of JSON "$scratch/bare/bin/python" >"$scratch/bare.json"
bill=$scratch/out/dbfleet-cluster-$version.cdx.json
.venv-release/bin/python tests/gates/sbom.py "$tarball" <"$scratch/bare.json" >"$bill"

echo "== the demo, from there, with nothing but what its own requirements name"
"$venv/bin/python" -m venv --without-pip "$scratch/user"
HOME=$own_home "$venv/bin/python" -m pip --python "$scratch/user/bin/python" install --quiet \
    -r tests/requirements-core.txt -r "$installed/requirements-simulator.txt"
cd "$scratch"
if ! PATH=$scratch/user/bin:$PATH "$scratch/user/bin/ansible-playbook" dbfleet.cluster.demo >demo.log 2>&1; then
    cat demo.log >&2
    echo "release: the demo of the installed collection failed" >&2
    exit 1
fi
grep -E '^(exa-demo|nuo-demo|localhost) +: ok=' demo.log
cd "$root"

echo "== molecule, from there"
mkdir -p "$scratch/project/extensions"
cp -R extensions/molecule "$scratch/project/extensions/"
cp galaxy.yml "$scratch/project/"
scenarios=()
if [ "${SCENARIOS:-status}" = all ]; then
    scenarios=(--all --workers 2)
else
    for name in ${SCENARIOS:-status}; do scenarios+=(-s "$name"); done
fi
(cd "$scratch/project" && PATH=$venv/bin:$PATH "$venv/bin/molecule" test "${scenarios[@]}")

mkdir -p "$goal"
rm -f "$goal"/dbfleet-cluster-*
(cd "$scratch/out" && sha256sum dbfleet-cluster-* >"dbfleet-cluster-$version.sha256")
cp "$scratch/out"/* "$goal/"
(cd "$goal" && sha256sum --check --quiet "dbfleet-cluster-$version.sha256")
echo "release: dbfleet.cluster $version is in ${goal#"$root/"}/:"
(cd "$goal" && ls -1 "dbfleet-cluster-$version"*)
