"""Interrupt gate and merge at every AWS call they make, and look whether anything is lost or doubled."""
