"""How the grounding network learns. Nothing but the command line and the evaluations needs it."""
