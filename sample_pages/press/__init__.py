"""Draws the pages of a small issue in the manner of a Havana society magazine of 1916."""
