"""Measurements against other programs; what is quoted are ratios of one run, since machines differ."""
