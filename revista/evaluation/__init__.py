"""Measures against ground truth: regions and text."""
