"""The surrogate: Gaussian processes over mixes and languages that shrink noisy gains."""
