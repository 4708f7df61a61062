"""A report of runs, in steps: what was read, its figures, what a page shows of them, the page."""
