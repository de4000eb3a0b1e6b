# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from .volume_api import VolumeApi


class EXAoperationVolumes:
    def __init__(self, *parts):
        self._parts = parts


class EXAoperationRemoteVolumes:
    def __init__(self, *parts):
        self._parts = parts
