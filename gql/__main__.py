"""The command line: `python -m gql VERB`. Verbs import what they need when they run."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(no_args_is_help=True, add_completion=False, help="Leadgraph: pools, segments, calling.")
organisation = typer.Typer(no_args_is_help=True, help="Tenants.")
token = typer.Typer(no_args_is_help=True, help="Opaque credentials of users.")
verbs.add_typer(organisation, name="organisation")
verbs.add_typer(token, name="token")


@verbs.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, max=64)] = 1,
    demo: Annotated[bool, typer.Option(help="Make the demo organisation first, if it is not there.")] = False,
) -> None:
    """Bring the database up to date and serve the API."""
    with _uncollected():
        from gql.logs import configure_logs
        from gql.server import address_of, bound
        from gql.server import serve as run
        from gql.settings import Settings

    settings = Settings()
    if problems := settings.unsafe(host):
        raise typer.BadParameter("; ".join(problems))
    configure_logs()
    try:
        bound_to = bound(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        other = "Choose another with --port 8001 (make serve PORT=8001)."
        typer.echo(f"Cannot listen on port {port} of {host}: {reason}. {other}", err=True)
        raise typer.Exit(1) from error
    asyncio.run(_prepare(demo, address_of(bound_to)))
    run(settings, bound_to, workers)


@verbs.command()
def work() -> None:
    """Run jobs in a process of their own, until stopped."""
    from gql.context import utc_now
    from gql.jobs.work import work_until_stopped
    from gql.logs import configure_logs
    from gql.settings import Settings

    configure_logs()
    asyncio.run(work_until_stopped(Settings(), utc_now))


@verbs.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    asyncio.run(_prepare(demo=False, address=""))


@verbs.command()
def schema() -> None:
    """Print the schema."""
    from gql.root import build_schema

    sys.stdout.write(build_schema().as_str() + "\n")


@verbs.command()
def demo() -> None:
    """Make the demo organisation from the example files; nothing if it exists."""
    asyncio.run(_prepare(demo=True, address="http://127.0.0.1:8000"))


@verbs.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Run the benchmarks; what follows the verb is theirs (`--help` lists it)."""
    import runpy

    sys.argv[1:] = context.args
    runpy.run_module("bench", run_name="__main__", alter_sys=True)


@verbs.command()
def doctor() -> None:
    """Check settings, database and demo files, and say what to do."""
    from gql.doctor import examine
    from gql.settings import Settings

    findings = asyncio.run(examine(Settings()))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.good else 'FAIL'} {finding.subject}: {finding.advice}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@verbs.command("import-leads")
def import_leads(
    file: Annotated[Path, typer.Argument(help="The CSV file.", exists=True, dir_okay=False)],
    campaign: Annotated[str, typer.Option(help="Code of the campaign its leads are for.")],
    map: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=FIELD for a column that is not to fill the suggested field: a key of the campaign's "
            "fields, or nothing to leave the column out; repeatable."
        ),
    ] = None,
    duplicate_field: Annotated[
        str, typer.Option(help="Key of the field that tells duplicates; phone: the lead's own.")
    ] = "phone",
    duplicate_scope: Annotated[str, typer.Option(help="none, campaign, project or all.")] = "campaign",
    duplicate_action: Annotated[str, typer.Option(help="notify, discard, deactivate or remove.")] = "discard",
    organisation: Annotated[
        str | None, typer.Option(help="Name or number, where several have such a campaign.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the accounts as JSON, as the last line.")
    ] = False,
) -> None:
    """Import a file of leads, also beside a running server."""
    pairs = [one.rpartition("=") for one in map or ()]
    if any(not sign for _, sign, _ in pairs):
        raise typer.BadParameter("a mapping is COLUMN=FIELD", param_hint="--map")
    mapping = {column: field for column, _, field in pairs}
    duplicates = (duplicate_field, duplicate_scope, duplicate_action)
    raise typer.Exit(asyncio.run(_import_leads(file, campaign, mapping, duplicates, organisation, json)))


@organisation.command("create")
def create_organisation(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    admin: Annotated[str, typer.Option(help="E-mail address of its first administrator.")],
    time_zone: Annotated[str, typer.Option(help="IANA time zone of its relative dates.")] = "UTC",
) -> None:
    """Make an organisation, and print the first token of its administrator."""
    asyncio.run(_found_organisation(name, admin, time_zone))


@token.command("create")
def create_token(
    user: Annotated[str, typer.Option(help="E-mail address of the owner.")],
    role: Annotated[
        str | None,
        typer.Option(help="Limit it to what this role may do; a user who is not there is made with it."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Limit it to this permission, such as SEGMENT_VIEW; repeatable.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Days, or a moment in ISO 8601; by default LEADGRAPH_TOKEN_DAYS.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(help="Name or number, where several have such a user.")
    ] = None,
) -> None:
    """Make a token and print it, alone, on standard output."""
    asyncio.run(_create_token(user, role, scope or [], expires, organisation))


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported meanwhile stays for good: the collector, a quarter of the time, leaves it alone."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


async def _found_organisation(name: str, admin: str, time_zone: str) -> None:
    from core.errors import LeadgraphError
    from db.database import Database
    from gql.administration import found_organisation
    from gql.settings import Settings

    await _prepare(demo=False, address="")
    settings = Settings()
    async with Database(settings.url) as database:
        try:
            text = await found_organisation(
                database,
                name=name,
                admin_email=admin,
                time_zone=time_zone,
                lifetime=timedelta(days=settings.token_days),
                now=datetime.now(UTC),
            )
        except LeadgraphError as error:
            raise typer.BadParameter(str(error)) from error
    typer.echo(text)


async def _create_token(
    user: str, role: str | None, scopes: list[str], expires: str | None, organisation: str | None
) -> None:
    from core.access import Role
    from core.errors import LeadgraphError
    from db.database import Database
    from gql.administration import create_token as create
    from gql.administration import read_expiry, read_permission
    from gql.settings import Settings

    if role is not None and role not in set(Role):
        raise typer.BadParameter(f"the roles are: {', '.join(Role)}")
    await _prepare(demo=False, address="")
    settings, now = Settings(), datetime.now(UTC)
    async with Database(settings.url) as database:
        try:
            text = await create(
                database,
                email=user,
                role=None if role is None else Role(role),
                permissions=[read_permission(each) for each in scopes],
                expires_at=read_expiry(expires, timedelta(days=settings.token_days), now),
                organisation=organisation,
                now=now,
            )
        except LeadgraphError as error:
            raise typer.BadParameter(str(error)) from error
    typer.echo(text)


async def _import_leads(
    file: Path,
    campaign: str,
    mapping: dict[str, str],
    duplicates: tuple[str, str, str],
    organisation: str | None,
    as_json: bool,
) -> int:
    from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
    from db.change_feed import ChangeFeed
    from db.database import Database
    from gql.context import Services, utc_now
    from gql.jobs.file_import import FileImport, run_file_import
    from gql.settings import Settings

    field, scope, action = duplicates
    try:
        rule = DuplicateRule(DuplicateScope(scope), DuplicateAction(action))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    await _prepare(demo=False, address="")
    settings = Settings()
    wanted = FileImport(file, campaign, mapping, field, rule, organisation)
    async with Database(settings.url) as database:
        services = Services(database, ChangeFeed(database), settings, utc_now)
        return await run_file_import(services, wanted, as_json=as_json)


async def _prepare(demo: bool, address: str) -> None:
    from db.migrate import migrate as bring_up_to_date
    from gql.settings import Settings

    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await bring_up_to_date(settings.url)
    if demo:
        from db.change_feed import ChangeFeed
        from db.database import Database
        from gql.context import Services, utc_now
        from gql.demo import make_demo, tour

        async with Database(settings.url) as database:
            tokens = await make_demo(Services(database, ChangeFeed(database), settings, utc_now))
        typer.echo(tour(address, tokens))


if __name__ == "__main__":
    verbs()
