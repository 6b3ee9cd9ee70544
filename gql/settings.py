"""Settings, from the environment (prefix `LEADGRAPH_`), frozen; each is described in docs/settings.md."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """Where the process runs; production refuses unsafe settings by name."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Everything an operator can choose. Sizes are bytes, times seconds."""

    model_config = SettingsConfigDict(env_prefix="LEADGRAPH_", frozen=True, extra="forbid")

    env: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("data")
    database_url: str = ""
    allowed_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1", "localhost", "[::1]"])
    allowed_origins: list[str] = Field(default_factory=list)
    introspection: bool = True
    jobs_in_serve: bool = True
    trusted_documents: Path | None = None
    trusted_documents_only: bool = False
    metrics_token: SecretStr = SecretStr("")

    max_head: int = 65_536
    max_body: int = 1_000_000
    max_frame: int = 262_144
    max_upload: int = 1_000_000_000
    max_open_uploads: int = 100
    upload_days: int = 7
    max_columns: int = 500
    max_imports: int = 4
    max_bulk_leads: int = 200
    membership_log_days: int = Field(default=0, ge=0)
    max_members_at_once: int = Field(default=5_000, gt=0)
    pick_seconds: float = Field(default=3_600, gt=0)
    max_tokens: int = 2_000
    max_depth: int = 15
    max_aliases: int = 50
    max_directives: int = 5
    max_fields: int = 5_000
    max_cost: int = 50_000
    token_budget: int = Field(default=1_000_000, gt=0)
    token_budget_per_second: float = Field(default=10_000, gt=0)
    address_budget: int = Field(default=5_000_000, gt=0)
    address_budget_per_second: float = Field(default=50_000, gt=0)
    max_sockets_per_token: int = 20
    max_sockets_per_address: int = 100
    max_subscriptions_per_socket: int = 100
    connection_init_timeout: float = 5.0
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    heartbeat_seconds: float = 15.0
    poll_seconds: float = 1.0

    import_batch_rows: int = 200
    automation_tick_seconds: float = Field(default=60, gt=0)
    lease_seconds: int = 300
    job_lease_seconds: int = 30
    token_days: int = 90
    session_hours: int = Field(default=12, gt=0)
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_keys_url: str = ""
    oidc_organisation: str = ""
    download_link_seconds: int = 300
    plan_seconds: int = 3_600

    @model_validator(mode="after")
    def _one_operation_is_within_a_budget(self) -> Self:
        if min(self.token_budget, self.address_budget) < self.max_cost:
            raise ValueError("a budget (LEADGRAPH_…_BUDGET) must not be less than LEADGRAPH_MAX_COST")
        return self

    @property
    def url(self) -> str:
        """The database's address; by default a file in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'leadgraph.db'}"

    @model_validator(mode="after")
    def _a_provider_is_named_whole(self) -> Self:
        named = [self.oidc_issuer, self.oidc_audience, self.oidc_keys_url, self.oidc_organisation]
        if any(named) and not all(named):
            raise ValueError("LEADGRAPH_OIDC_ISSUER, _AUDIENCE, _KEYS_URL and _ORGANISATION go together")
        return self

    def unsafe(self, host: str) -> list[str]:
        """What is refused in production or on an open address, each naming its setting."""
        open_to_others = host not in {"127.0.0.1", "localhost", "::1"}
        problems = []
        if open_to_others and self.env is not Environment.PRODUCTION:
            problems.append(f"LEADGRAPH_ENV must be production to listen on {host}")
        if self.env is Environment.PRODUCTION and "*" in [*self.allowed_hosts, *self.allowed_origins]:
            problems.append("LEADGRAPH_ALLOWED_HOSTS and LEADGRAPH_ALLOWED_ORIGINS must not hold `*`")
        return problems
