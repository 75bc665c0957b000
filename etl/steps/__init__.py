"""The steps of a run: functions from values to values; what talks to the outside comes in as an argument."""
