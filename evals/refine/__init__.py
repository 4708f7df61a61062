"""Better moments out of another system's curve and windows, on real queries with human labels."""
