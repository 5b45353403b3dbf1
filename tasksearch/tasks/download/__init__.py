"""Download of a suite's data, as published by its authors over HTTPS or on the hub, to the places where it is read."""
