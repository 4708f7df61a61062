"""The needle benchmark: films joined so that every answer is known, and how well it is found."""
