"""The checks, by what they look at: each takes a Subject and yields findings."""
