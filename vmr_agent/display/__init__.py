"""A report as people look at it: a page, a piece of a notebook, a figure.

``page`` is one HTML document that asks for nothing outside it, ``fragment`` the same inside a
notebook, ``figure`` a matplotlib figure. What a film says or shows is data in all of them.
"""

from vmr_agent.display.chart import figure
from vmr_agent.display.notebook import fragment
from vmr_agent.display.page import page

__all__ = ["figure", "fragment", "page"]
