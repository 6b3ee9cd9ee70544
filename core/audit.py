"""What is kept in the audit log: administrative acts, sign-ins that failed, and denials."""

from enum import StrEnum

ADMINISTRATIVE = frozenset({"api_token", "organisation", "role", "team", "user", "trusted_document"})
"""Nouns whose every edit is administration."""

ACCESS_SET = "access_set"


class AuditKind(StrEnum):
    """Why something is in the audit log."""

    ADMINISTRATION = "administration"
    DENIAL = "denial"
    SIGN_IN_FAILED = "sign_in_failed"


def is_administrative(noun: str, action: str) -> bool:
    """Whether an edit is one of users, teams, permissions, credentials or access rights."""
    return noun in ADMINISTRATIVE or action == ACCESS_SET
