"""Problems with known facts."""
from .classic import quadratic, rosenbrock

__all__ = ["quadratic", "rosenbrock"]
