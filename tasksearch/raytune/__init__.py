"""The driver: Tuner, searcher, scheduler, callbacks. Only this package and trainables/ import Ray."""
