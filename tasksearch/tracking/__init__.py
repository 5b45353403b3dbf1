"""The tracker port; MLflow; in memory. The only code that speaks MLflow."""
