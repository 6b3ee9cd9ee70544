"""`python -m bench`: runs the benchmarks, prints the table, writes bench/results/<time>.json."""

import argparse
import asyncio
import gc
import tempfile
from pathlib import Path

from bench.automation import compare_automation
from bench.claims import compare_claims
from bench.data import FIELDS, NARROW
from bench.documents import compare_documents
from bench.engines import Engine, engines
from bench.hostile_documents import measure_refusals
from bench.hot_read import compare_hot_read
from bench.import_memory import measure_memory
from bench.import_rows import compare_import
from bench.measure import Comparison, save, show
from bench.members import compare_members
from bench.permission_checks import compare_permission_checks
from bench.pools import compare_pools
from bench.rules import RULES, compare_rules
from bench.world import add_leads, add_segment, make_world

ENGINES = ("sqlite", "postgresql")
PARTS = (
    "automation",
    "documents",
    "import",
    "memory",
    "pools",
    "rules",
    "members",
    "read",
    "permissions",
    "claim",
)
SIZES = (10, 500)
RESULTS = Path(__file__).parent / "results"


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--leads", type=int, default=1_000_000, help="leads in all campaigns")
    parser.add_argument("--rows", type=int, default=30_000, help="rows of the imported files")
    parser.add_argument("--pools", type=int, default=1_000, help="pools that share the leads")
    parser.add_argument("--claims", type=int, default=100, help="leads handed out a round")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of each pair")
    parser.add_argument("--seed", type=int, default=1, help="what the data are made from")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part")
    parser.add_argument(
        "--memory",
        type=int,
        nargs="+",
        default=SIZES,
        metavar="MB",
        help="sizes of the files whose import is watched for its memory",
    )
    return parser.parse_args()


async def run_engine(engine: Engine, asked: argparse.Namespace) -> list[Comparison]:
    """All parts that were asked for, on one engine."""
    parts = asked.only or PARTS
    found: list[Comparison] = []
    if "import" in parts:
        for columns in (NARROW, len(FIELDS)):
            found.append(await compare_import(engine, asked.seed, asked.rows, columns, min(asked.repeats, 3)))
    if "memory" in parts:
        for megabytes in asked.memory:
            print((await measure_memory(engine, asked.seed, megabytes)).line())
    if "pools" in parts:
        async with engine.database() as database:
            world = await make_world(database)
            found += await compare_pools(engine, world, asked.seed, asked.pools, asked.leads, asked.repeats)
    if "automation" in parts:
        async with engine.database() as database:
            world, leads = await make_world(database), min(asked.leads, 20_000)
            await add_leads(world, asked.seed, leads)
            found += await compare_automation(engine, world, asked.seed, leads, asked.repeats)
    if {"rules", "members", "read", "permissions", "claim"}.isdisjoint(parts):
        return found
    async with engine.database() as database:
        world = await make_world(database)
        await add_leads(world, asked.seed, asked.leads)
        segment_id = await add_segment(world, "Bench", RULES["in and between"][0])
        if "rules" in parts:
            found += await compare_rules(engine, world, asked.repeats)
        if "members" in parts:
            found += await compare_members(engine, world, min(asked.repeats, 3))
        if "claim" in parts:
            found.append(await compare_claims(engine, world, segment_id, asked.claims, asked.repeats))
        if "permissions" in parts:
            found.append(await compare_permission_checks(engine.name, world, segment_id, asked.repeats))
        if "read" in parts and engine.name == "sqlite":
            found.append(await compare_hot_read(world, segment_id, engine.folder, asked.repeats))
    return found


def main() -> None:
    asked = read_arguments()
    found: list[Comparison] = []
    gc.collect()
    gc.freeze()  # as the server does once it is built
    if "documents" in (asked.only or PARTS):
        found += asyncio.run(compare_documents(asked.seed, asked.repeats))
        found.append(asyncio.run(measure_refusals(asked.repeats)))
    with (
        tempfile.TemporaryDirectory(prefix="leadgraph-bench-") as folder,
        engines(asked.engine or ENGINES, Path(folder)) as ready,
    ):
        for engine in ready:
            found += asyncio.run(run_engine(engine, asked))
    show(found)
    print(f"Written to {save(found, RESULTS, **vars(asked))}")


if __name__ == "__main__":
    main()
