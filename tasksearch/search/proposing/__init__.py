"""What is trained next: the designed first trials, the sampler's, leaders on fresh seeds, controls and twins."""
