"""How good an answer is, counted as the benchmarks count it. numpy, and nothing of the rest."""
