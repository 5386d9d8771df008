"""revista: scanned issues of an illustrated magazine in, described pictures in Spanish out."""

__version__ = "0.1.0"
