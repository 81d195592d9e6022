"""Gets documents into an index: readers, the bulk run, resuming, dead letters."""
