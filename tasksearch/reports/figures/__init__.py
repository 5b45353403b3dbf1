"""Figures as plain values, in percent of the page's width; `templates/figures.html` draws them as HTML that fits any width.

One rule of colour holds in all of them: blue is points gained, orange points lost. Nothing is told by colour alone: a mark
tells the finding too.
"""
