"""The driver: Tuner, searcher, scheduler, callbacks. With trainables/ the only code that imports ray."""
