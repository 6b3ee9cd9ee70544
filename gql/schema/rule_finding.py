"""What is odd about a filter, as the API shows it."""

from typing import Self

import strawberry

from core.rules import lint
from core.rules.lint import FindingCode
from gql.schema.enums import published

published(
    FindingCode,
    "RuleFindingCode",
    "What is odd about a group or condition of a filter, though it can be saved and applied.",
    {
        "CONTRADICTION": "No lead can match it.",
        "TAUTOLOGY": "Every lead matches it.",
        "NEVER_MATCHES": "No lead can match it beside what else must hold.",
        "ALWAYS_MATCHES": "It changes nothing beside what else must hold.",
        "DUPLICATE": "The same is asked before it in its group.",
        "TYPE_MISMATCH": "One bound is a number and the other is not, so both are compared as texts.",
        "COSTLY": "Every lead of the project has to be looked at: a campaign or a pool would help.",
    },
)


@strawberry.type(description="Something odd about a filter.")
class RuleFinding:
    code: FindingCode = strawberry.field(description="What is odd.")
    message: str = strawberry.field(description="The same in plain words.")
    path: list[str] = strawberry.field(
        description="Path within the filter of what it is about: `rule`, `rules`, `0`; empty: all of it."
    )

    @classmethod
    def from_core(cls, finding: lint.Finding) -> Self:
        return cls(code=finding.code, message=finding.message, path=list(finding.path))
