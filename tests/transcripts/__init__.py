"""Frames recorded from real programs; see the README."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    """One recorded event, call or download."""

    case: str
    kind: str
    fields: dict[str, Any]

    @property
    def frame(self) -> dict[str, Any]:
        return self.fields["frame"]

    @property
    def request(self) -> dict[str, Any]:
        return self.fields["request"]

    @property
    def reply(self) -> dict[str, Any]:
        return self.fields["reply"]

    @property
    def options(self) -> dict[str, Any]:
        return self.fields.get("options", {})

    @property
    def images(self) -> list[bytes]:
        return [base64.b64decode(image["b64"]) for image in self.fields.get("images", [])]

    @property
    def over_http(self) -> bool:
        return self.fields.get("transport") == "http"


def load(name: str) -> list[Line]:
    """Read a transcript."""
    text = (Path(__file__).parent / f"{name}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(row) for row in text.splitlines()]
    return [Line(row["case"], row["kind"], row) for row in rows]
