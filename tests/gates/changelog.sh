#!/bin/sh
# The fragments become the changelog of a version, and galaxy.yml gets that version: changelog.sh VENV VERSION.
# It refuses before it changes a file.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
venv=$(CDPATH='' cd -- "$1" && pwd)
version=$2
cd "$root"
if [ -z "$version" ]; then
    echo "changelog: which version? make changelog VERSION=1.0.0" >&2
    exit 2
fi
if ! printf '%s\n' "$version" | grep -qxE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}'; then
    echo "changelog: the version $version is not MAJOR.MINOR.PATCH." >&2
    exit 2
fi
if grep -qE "^  $version:" changelogs/changelog.yaml; then
    echo "changelog: changelogs/changelog.yaml has a release $version already; a release isn't changed." >&2
    exit 1
fi
newest=$(sed -n 's/^  \([0-9.]*\):.*/\1/p' changelogs/changelog.yaml | sort -V | tail -n 1)
if [ "$(printf '%s\n' "$newest" "$version" | sort -V | tail -n 1)" != "$version" ]; then
    echo "changelog: $version is older than the release $newest. Choose a newer version." >&2
    exit 1
fi
if [ -z "$(find changelogs/fragments -name '*.y*ml' 2>/dev/null)" ]; then
    echo "changelog: changelogs/fragments has no fragment, so $version would have an empty chapter." \
        "Add a fragment for each change that users see." >&2
    exit 1
fi
"$venv/bin/antsibull-changelog" lint
# antsibull-changelog asks galaxy.yml which collection it is, and takes the new modules from their version_added.
sed -i.before "s/^version: .*/version: $version/" galaxy.yml
rm galaxy.yml.before
"$venv/bin/antsibull-changelog" release --version "$version"
"$venv/bin/antsibull-changelog" lint-changelog-yaml --no-semantic-versioning changelogs/changelog.yaml
echo "changelog: $version is in CHANGELOG.rst. Read it, commit it, then make release."
