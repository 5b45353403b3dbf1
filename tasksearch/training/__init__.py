"""One segment of gradient steps: batches, losses, optimiser, loop."""
