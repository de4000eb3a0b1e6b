# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On the path of a test's ansible-playbook only: a library that fails with whatever $LEAK holds in its text."""

from __future__ import annotations

import os
import xmlrpc.client

_dumps = xmlrpc.client.dumps


def _leak(params, methodname=None, *args, **kwargs):
    if methodname == "getDatabaseList":
        raise RuntimeError(f"can't send {os.environ['LEAK']!r} to {os.environ['LEAK']}")
    return _dumps(params, methodname, *args, **kwargs)


if os.environ.get("LEAK"):
    xmlrpc.client.dumps = _leak
