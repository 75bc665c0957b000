"""An AWS on one machine: moto's server, extended where it lacks an operation or does not execute."""
