"""Plan → segments → checkpoints → score table, and the segment store."""
