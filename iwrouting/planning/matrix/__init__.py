"""The written matrix: written from the live one, read back in any of its forms, and compared (docs/matrix.md)."""

from __future__ import annotations

from iwrouting.planning.matrix.comparing import Asked, compare
from iwrouting.planning.matrix.differences import Comparison, Difference, Level, ModelWarning
from iwrouting.planning.matrix.lifecycle import model_warnings
from iwrouting.planning.matrix.live import Matrix, live_matrix
from iwrouting.planning.matrix.reading import read_matrix
from iwrouting.planning.matrix.words import Form, MatrixFault, MatrixRefused, Written
from iwrouting.planning.matrix.writing import unsaid, write_matrix

__all__ = [
    "Asked",
    "Comparison",
    "Difference",
    "Form",
    "Level",
    "Matrix",
    "MatrixFault",
    "MatrixRefused",
    "ModelWarning",
    "Written",
    "compare",
    "live_matrix",
    "model_warnings",
    "read_matrix",
    "unsaid",
    "write_matrix",
]
