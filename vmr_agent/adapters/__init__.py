"""The machinery: one file for each outside package, its one door into the house."""
