"""Who calls, and what they may do: the only place that knows Casbin, and the only one that makes scopes."""
