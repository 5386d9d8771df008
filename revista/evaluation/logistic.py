"""Logistic regression with a small ridge penalty, for the few weights that evaluations fit."""

from __future__ import annotations

import numpy as np


def fit(features: np.ndarray, right: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Weights and bias such that the logistic of `features @ weights + bias` is how likely an example is right.

    Args:
        features: (examples, n), in any units: they are standardised while weights are sought.
        right: (examples,) bool.
        penalty: on the squares of the weights of the standardised features; the bias is free.

    Returns:
        The weights (n,) in the features' own units, and the bias.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

    centre, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = (features - centre) / spread
    signs = np.where(right, 1.0, -1.0)

    def loss(weights: np.ndarray) -> float:
        margins = signs * (scaled @ weights[:-1] + weights[-1])
        return float(np.logaddexp(0, -margins).mean() + penalty * (weights[:-1] ** 2).sum())

    found = minimize(loss, np.zeros(features.shape[1] + 1)).x
    own = found[:-1] / spread
    return own, float(found[-1] - own @ centre)
