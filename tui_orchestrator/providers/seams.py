"""Where another answer begins in the same stream: some proxies try again in the middle of one and say nothing of it."""

from __future__ import annotations

import math
from collections import deque

HEARD = 16
"""How many ids back one that returns is known: where each event has one of its own they do not end."""


class Seams:
    """Tells by what servers are regular in. An answer has one id, or each of its events one; it names its role once, or
    with every event. Two answers without ids and roles look like one."""

    def __init__(self) -> None:
        self._id = ""
        self._times = 0.0
        self._speaker = ""
        self._spoken: deque[str] = deque(maxlen=HEARD)
        self._begun = ""
        """The id under which another answer may have begun, if it turns out to stay."""
        self._plain = 0
        """Events with text since the role was named."""

    def another(self, said: object, *, opens: bool | None, speaks: bool) -> bool:
        """To be told of every event, in order: the id it gives, whether it `opens` a message by naming its role (None:
        the format names it always), and whether it has text. Whether it belongs to another answer than those before."""
        id_ = said if isinstance(said, str) else ""
        changed = id_ != "" and self._id not in ("", id_)
        found = (
            (changed and opens is not False and self._times > 1)
            or (opens is True and self._plain > 1)
            or (id_ != "" and id_ == self._begun and (opens is None or (speaks and not opens)))
            or (speaks and id_ in self._spoken and id_ != self._speaker)
        )
        if changed:
            self._times = -math.inf
            if self._spoken and (speaks if opens is None else opens):
                self._begun = id_
        elif id_:
            self._times += 1
        self._id = id_ or self._id
        self._plain = 0 if opens else self._plain + speaks
        if speaks and id_ and id_ != self._speaker:
            self._spoken.append(id_)
            self._speaker = id_
        return found
