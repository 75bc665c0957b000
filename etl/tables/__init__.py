"""Tables: the protocol a merge needs, and its Iceberg implementation."""
