"""Metrics: functions from predictions and gold to scores, without models or files of a study."""
