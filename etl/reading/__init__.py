"""Reading a CSV file: from a stream of bytes to typed columns, a block of whole lines at a time."""
