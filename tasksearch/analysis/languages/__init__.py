"""Distances between languages, clusters of languages, and which languages to label: hints for a study, not results of one."""
