"""Resolvers, one module a noun: ask, call, convert."""
