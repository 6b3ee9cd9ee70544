"""The names of roles as the API shows them; import them from here, so that they are published first."""

from core.access import Role as RoleName
from gql.schema.enums import published

__all__ = ["RoleName"]

published(
    RoleName,
    "RoleName",
    "The roles every organisation has.",
    {
        "ADMIN": "Everything, users and permissions included.",
        "MANAGER": "Everything about campaigns, pools and segments.",
        "AGENT": "Calls the segments they were given.",
        "INTEGRATOR": "A machine that brings leads in and follows segments.",
    },
)
