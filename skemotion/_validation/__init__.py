"""Checks of parameters, arrays, labels and sequences that several modules share."""
