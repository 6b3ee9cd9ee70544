"""Telling the planner what a table holds by now."""

from sqlalchemy import text

from db.database import Database


async def refresh_statistics(database: Database) -> None:
    """Has PostgreSQL count anew what is in the tables of leads.

    While a table grows from nothing to thousands of rows, the planner believes it empty until told otherwise
    and reads all of it at every look-up; its own upkeep comes minutes later. SQLite does without.
    """
    if database.dialect == "postgresql":
        async with database.writing() as session:
            await (await session.connection()).execute(text("ANALYZE lead, lead_slots"))
