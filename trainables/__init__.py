"""What a trial is, as Ray Tune sees it: thin classes with one common contract."""
