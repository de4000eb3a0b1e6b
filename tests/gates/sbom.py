# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bill of materials names the collection: sbom.py TARBALL <ENVIRONMENT_BOM >COLLECTION_BOM (CycloneDX, JSON).

cyclonedx-py describes the environment into which the collection's requirements.txt was installed. Here the collection
becomes its subject, with the packages that requirements.txt names as what it depends on.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def described(bom: dict[str, Any], tarball: Path) -> dict[str, Any]:
    with tarfile.open(tarball) as archive:
        info = json.loads(archive.extractfile("MANIFEST.json").read())["collection_info"]  # type: ignore[union-attr]
        lines = archive.extractfile("requirements.txt").read().decode().splitlines()  # type: ignore[union-attr]
    plain = [line.partition("#")[0].strip() for line in lines]
    wanted = {canonicalize_name(Requirement(line).name) for line in plain if line}
    references = {canonicalize_name(one["name"]): one["bom-ref"] for one in bom["components"]}
    missing = wanted - set(references)
    if missing:
        raise SystemExit(f"sbom: requirements.txt names {', '.join(sorted(missing))}, and the environment has none.")
    purl = f"pkg:generic/{info['namespace']}/{info['name']}@{info['version']}"
    bom["metadata"]["component"] = {
        "type": "library",
        "bom-ref": purl,
        "group": info["namespace"],
        "name": info["name"],
        "version": info["version"],
        "description": info["description"],
        "licenses": [{"license": {"id": one}} for one in info["license"]],
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(tarball.read_bytes()).hexdigest()}],
    }
    others = [one for one in bom.get("dependencies", ()) if one["ref"] in references.values()]
    own = {"ref": purl, "dependsOn": sorted(references[one] for one in wanted)}
    bom["dependencies"] = [own, *others]
    return bom


if __name__ == "__main__":
    json.dump(described(json.load(sys.stdin), Path(sys.argv[1])), sys.stdout, indent=2)
    print()
