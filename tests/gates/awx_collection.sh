#!/bin/sh
# Puts the collection awx.awx into FOLDER: awx_collection.sh FOLDER. Galaxy isn't reachable everywhere, and PyPI has it in
# the package ansible, of which nothing else is kept.
set -eu
folder=$1
version=12.3.0
if [ -e "$folder/.version-$version" ]; then exit 0; fi
echo "downloading ansible $version (54 MB) for its awx.awx ..."
rm -rf "$folder"
mkdir -p "$folder/wheel"
python -m pip download --quiet --no-deps --dest "$folder/wheel" "ansible==$version"
python - "$folder" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
(wheel,) = (folder / "wheel").glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if name.startswith("ansible_collections/awx/awx/")])
PYTHON
rm -rf "$folder/wheel"
touch "$folder/.version-$version"
