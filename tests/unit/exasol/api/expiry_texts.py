# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A moment, a zone, and what a server's help says of an expiry."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)
BERLIN = timezone(timedelta(hours=1))
EPOCH_TEXT = "Timestamp in seconds since the Epoch on which the backup should expire."
TIME_TEXT = "Expiration time as 'YYYY-MM-DD hh:mm:ss', or empty"
