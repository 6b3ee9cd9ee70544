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


SECRET_CHARACTERS = 16


class Settings(BaseSettings):
    """Everything an operator can choose. Sizes are bytes, times seconds."""

    model_config = SettingsConfigDict(env_prefix="LEADGRAPH_", frozen=True, extra="forbid")

    env: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("data")
    database_url: str = ""
    allowed_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1", "localhost", "[::1]"])
    allowed_origins: list[str] = Field(default_factory=list)
    trusted_proxies: list[str] = Field(default_factory=lambda: ["127.0.0.1", "::1"])
    introspection: bool = True
    jobs_in_serve: bool = True
    trusted_documents: Path | None = None
    trusted_documents_only: bool = False
    metrics_token: SecretStr = SecretStr("")

    max_head: int = Field(default=65_536, gt=0)
    max_body: int = Field(default=1_000_000, gt=0)
    max_frame: int = Field(default=262_144, gt=0)
    max_upload: int = Field(default=1_000_000_000, gt=0)
    max_open_uploads: int = Field(default=100, gt=0)
    upload_days: int = Field(default=7, gt=0)
    max_columns: int = Field(default=500, gt=0)
    max_imports: int = Field(default=4, gt=0)
    max_bulk_leads: int = Field(default=200, gt=0)
    membership_log_days: int = Field(default=0, ge=0)
    max_members_at_once: int = Field(default=5_000, gt=0)
    pick_seconds: float = Field(default=3_600, gt=0)
    max_tokens: int = Field(default=2_000, gt=0)
    max_depth: int = Field(default=15, gt=0)
    max_aliases: int = Field(default=50, gt=0)
    max_directives: int = Field(default=5, gt=0)
    max_fields: int = Field(default=5_000, gt=0)
    max_overlaps: int = Field(default=10_000, gt=0)
    max_characters: int = Field(default=100_000, gt=0)
    max_cost: int = Field(default=50_000, gt=0)
    token_budget: int = Field(default=10_000_000, gt=0)
    token_budget_per_second: float = Field(default=50_000, gt=0)
    address_budget: int = Field(default=20_000_000, gt=0)
    address_budget_per_second: float = Field(default=100_000, gt=0)
    max_sockets_per_token: int = Field(default=20, gt=0)
    max_sockets_per_address: int = Field(default=100, gt=0)
    max_subscriptions_per_socket: int = Field(default=100, gt=0)
    connection_init_timeout: float = Field(default=5.0, gt=0)
    head_timeout: float = Field(default=10.0, gt=0)
    body_timeout: float = Field(default=30.0, gt=0)
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    poll_seconds: float = Field(default=1.0, gt=0)

    import_batch_rows: int = Field(default=200, gt=0)
    automation_tick_seconds: float = Field(default=60, gt=0)
    lease_seconds: int = Field(default=300, gt=0)
    job_lease_seconds: int = Field(default=30, gt=0)
    token_days: int = Field(default=90, gt=0)
    session_hours: int = Field(default=12, gt=0)
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_keys_url: str = ""
    oidc_organisation: str = ""
    download_link_seconds: int = Field(default=300, gt=0)
    plan_seconds: int = Field(default=3_600, gt=0)

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
        if self.env is Environment.PRODUCTION:
            return self._unsafe_in_production()
        return [f"LEADGRAPH_ENV must be production to listen on {host}"] if open_to_others else []

    def _unsafe_in_production(self) -> list[str]:
        problems = []
        if "*" in [*self.allowed_hosts, *self.allowed_origins, *self.trusted_proxies]:
            names = "LEADGRAPH_ALLOWED_HOSTS, LEADGRAPH_ALLOWED_ORIGINS and LEADGRAPH_TRUSTED_PROXIES"
            problems.append(f"{names} must not hold `*`")
        if not all(origin.startswith("https://") for origin in self.allowed_origins):
            problems.append("LEADGRAPH_ALLOWED_ORIGINS must begin with https://")
        provider = [self.oidc_issuer, self.oidc_keys_url] if self.oidc_issuer else []
        if not all(url.startswith("https://") for url in provider):
            problems.append("LEADGRAPH_OIDC_ISSUER and LEADGRAPH_OIDC_KEYS_URL must begin with https://")
        if 0 < len(self.metrics_token.get_secret_value()) < SECRET_CHARACTERS:
            problems.append(f"LEADGRAPH_METRICS_TOKEN must have {SECRET_CHARACTERS} characters or more")
        return problems
