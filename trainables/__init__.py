"""What a trial is, as Ray Tune sees it: thin shells under one contract."""
