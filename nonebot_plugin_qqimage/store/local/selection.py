"""Which images of the store are meant, for those who list them or take them out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """All images that fit everything that is given."""

    prefix: str = ""
    """What their SHA-256 starts with; lower-case hex digits."""
    mime: str = ""
    """Their type, such as ``image/png``."""
    since: float | None = None
    """Used since then; with a chat or a user, seen there since then. Seconds since the epoch."""
    chat: str = ""
    """The chat they were seen in, as in `Sighting.chat`."""
    user: str = ""
    """The user who sent them."""

    def condition(self) -> tuple[str, list[object]]:
        """The same in SQL, with its values."""
        conditions, values = ["TRUE"], list[object]()
        if self.prefix:
            conditions.append("sha256 >= ? AND sha256 < ?")
            values += [self.prefix, self.prefix + "g"]
        if self.mime:
            conditions.append("mime = ?")
            values.append(self.mime)
        if self.chat or self.user:
            seen, of = self._seen()
            conditions.append(f"sha256 IN (SELECT sha256 FROM sightings WHERE {seen})")
            values += of
        elif self.since is not None:
            conditions.append("used >= ?")
            values.append(self.since)
        return " AND ".join(conditions), values

    def _seen(self) -> tuple[str, list[object]]:
        given = {"chat = ?": self.chat, "user = ?": self.user, "time >= ?": self.since}
        fitting = {condition: value for condition, value in given.items() if value}
        return " AND ".join(fitting), list(fitting.values())
