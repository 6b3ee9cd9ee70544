"""Everything that speaks SQL: what the product remembers, on SQLite and PostgreSQL alike."""
