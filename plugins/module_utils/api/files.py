# Copyright (c) 2026, edgeops.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of text that outlive a run: read if they are there, and replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile

from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.errors import OptionError
from ansible_collections.edgeops.cloudflare.plugins.module_utils.api.text import clean


def read_text(path: str, name: str, most: int) -> str | None:
    """What a file holds, `most` characters of it; None where there is no such file.

    Args:
        name: what the file is called in a sentence.

    Raises:
        OptionError: it can't be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(most)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise OptionError(f"{name} can't be read ({clean(why, 80)}); name another file") from None


def replace_text(path: str, text: str) -> None:
    """Write all of a file or nothing, for its owner alone. Raises OSError."""
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=os.path.basename(path) + ".")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
