#!/bin/sh
# The fragments become the changelog of a version, and galaxy.yml gets that version: changelog.sh VENV VERSION.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
venv=$(CDPATH='' cd -- "$1" && pwd)
version=$2
cd "$root"
if [ -z "$version" ]; then
    echo "changelog: which version? make changelog VERSION=1.0.0" >&2
    exit 2
fi
if grep -qE "^  $version:" changelogs/changelog.yaml; then
    echo "changelog: changelogs/changelog.yaml has a release $version already; a release isn't changed." >&2
    exit 1
fi
"$venv/bin/antsibull-changelog" lint
# antsibull-changelog asks galaxy.yml which collection it is, and takes the new modules from their version_added.
sed -i.before "s/^version: .*/version: $version/" galaxy.yml
rm galaxy.yml.before
"$venv/bin/antsibull-changelog" release --version "$version"
"$venv/bin/antsibull-changelog" lint-changelog-yaml --no-semantic-versioning changelogs/changelog.yaml
echo "changelog: $version is in CHANGELOG.rst. Read it, commit it, then make release."
