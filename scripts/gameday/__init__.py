"""A game day: known faults against the offline stack, and whether each ends as documented."""
