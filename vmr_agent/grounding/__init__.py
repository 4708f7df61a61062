"""The local grounding model: relevance curves and candidate windows become ranked moments.

Time is counted in steps of the curves here, and what a film is nobody knows. ``inputs`` puts curves
and candidates side by side, ``network`` turns them into a distribution over moments, ``decode``
ranks windows by what that distribution says they are worth.
"""
