"""What may be said of what was trained: picks with intervals, rules, the court, portfolios, order, why."""
