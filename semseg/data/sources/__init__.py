"""Public data sets, one file each: every function gives a `Dataset` with its `ClassMap`."""
