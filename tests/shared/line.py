"""What came of one scenario."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    scenario: str
    figures: str
    held: bool
