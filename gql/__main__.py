"""The command line: `python -m gql VERB`. Verbs import what they need when they run."""

import asyncio
import sys
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
    from gql.logs import configure_logs
    from gql.server import serve as run
    from gql.settings import Settings

    settings = Settings()
    if problems := settings.unsafe(host):
        raise typer.BadParameter("; ".join(problems))
    configure_logs()
    asyncio.run(_prepare(demo, f"http://{host}:{port}"))
    run(settings, host, port, workers)


@verbs.command()
def work() -> None:
    """Run jobs in a process of their own, until stopped."""
    from gql.jobs.work import work_until_stopped
    from gql.logs import configure_logs
    from gql.settings import Settings

    configure_logs()
    asyncio.run(work_until_stopped(Settings()))


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


async def _prepare(demo: bool, address: str) -> None:
    from db.migrate import migrate as bring_up_to_date
    from gql.settings import Settings

    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await bring_up_to_date(settings.url)
    if demo:
        from gql.demo import make_demo

        await make_demo(settings, address)


if __name__ == "__main__":
    verbs()
