# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capabilities that an Exasol cluster's API may lack. `providers` has the reason why a provider lacks one."""

from __future__ import annotations

POWER_ON = "power_on"
"""Powering a node on."""

POWER_OFF = "power_off"
"""Shutting a node down and powering it off."""

START_STORAGE = "start_storage"
STOP_STORAGE = "stop_storage"
"""A call that starts or stops EXAStorage."""

LICENSE_SERVERS = "license_servers"
"""Machines that run the API and have no data."""

LOG = "log"
"""A log service whose messages can be read."""

PLUGINS = "plugins"
"""Services of plugins on nodes."""

JOBS = "jobs"
"""Jobs by name."""

SUSPEND = "suspend"
"""Suspending nodes (marking them as offline for good) and resuming them."""

NODE_CONFIG = "node_config"
"""Adding and removing nodes."""

DATABASE_CONFIG = "database_config"
"""Creating, configuring and deleting databases."""

LICENSE_END = "license_end"
"""Reading when the license ends."""

VOLUMES = "volumes"
REMOTE_VOLUMES = "remote_volumes"
BACKUPS = "backups"
SCHEDULES = "schedules"

VOLUME_LOCK = "volume_lock"
VOLUME_CLEAR = "volume_clear"
VOLUME_SHRINK = "volume_shrink"
"""Locking and unlocking volumes, overwriting their data, making them smaller."""

VOLUME_OWNER = "volume_owner"
"""Owner, permissions and the shared flag of a volume."""

VOLUME_USERS = "volume_users"
"""Users by name who may use, or read, a volume."""

REMOTE_VOLUME_EDIT = "remote_volume_edit"
"""Changing an existing remote volume."""

REMOTE_VOLUME_OWNER = "remote_volume_owner"
"""Choosing the owner and the number of a remote volume."""

REMOTE_VOLUME_READERS = "remote_volume_readers"
"""Users who may only read a remote volume."""
