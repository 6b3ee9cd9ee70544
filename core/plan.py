"""Plans: what an operation on the members of segments would do."""

from enum import StrEnum


class PlanKind(StrEnum):
    """Which operation a plan is of."""

    SAVE_FILTER = "save_filter"
    RESTORE_FILTER = "restore_filter"
    UPDATE_MEMBERS = "update_members"
    ADD_LEADS = "add_leads"
    REMOVE_LEADS = "remove_leads"
    EMPTY = "empty"
    UNDO = "undo"
    IMPORT = "import"


class PlanEffect(StrEnum):
    """What would become of a lead: it joins, leaves, or leaves another exclusive segment for this one."""

    JOIN = "join"
    LEAVE = "leave"
    DISPLACED = "displaced"
