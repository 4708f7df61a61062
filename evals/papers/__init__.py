"""What each paper's part is worth here: the same questions with it and without it."""
