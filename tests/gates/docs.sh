#!/usr/bin/env bash
# Makes a site of the documentation in dist/docs, with a reference from the modules' and roles' own: docs.sh. A warning fails.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd -P)
cd "$root"
venv=$root/.venv-docs
if [ ! -e "$venv/.stamp" ] || [ tests/requirements-docs.txt -nt "$venv/.stamp" ]; then
    tests/gates/venv.sh "$venv" 11 13
    echo "installing Sphinx into $venv ..."
    "$venv/bin/python" -m pip install --quiet "ansible-core~=2.19.0" -r requirements.txt -r tests/requirements-docs.txt
    touch "$venv/.stamp"
fi
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar --extract --directory="$tree"
mkdir -p "$tree/docs/collection" "$tree/home" dist
export PATH=$venv/bin:$PATH HOME=$tree/home
antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir "$tree/docs/collection" dbfleet.cluster
rm -rf dist/docs
sphinx-build --quiet --fail-on-warning --keep-going --jobs 2 --conf-dir docs -b html "$tree" dist/docs
echo "docs: file://$root/dist/docs/docs/index.html"
