"""Films as mere data: what comes from one goes to a chat model as JSON between two lines.

The lines carry a nonce, a number that no film can know.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

WORDS = 400  # characters of any one text from a film that a model gets to read


def block(data: Any, nonce: str) -> str:
    """What comes from a film, as JSON between two lines."""
    return "\n".join(
        [f"BEGIN DATA {nonce}", json.dumps(clean(data), ensure_ascii=False), f"END DATA {nonce}"]
    )


def clean(data: Any) -> Any:
    """The same without what nobody sees, and no text longer than ``WORDS`` characters."""
    if isinstance(data, str):
        seen = "".join(c for c in data if unicodedata.category(c)[0] != "C" or c.isspace())
        seen = " ".join(seen.split())
        return seen if len(seen) <= WORDS else f"{seen[: WORDS - 1]}…"
    if isinstance(data, Mapping):
        return {clean(key): clean(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [clean(each) for each in data]
    return data
