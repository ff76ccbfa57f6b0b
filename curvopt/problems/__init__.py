"""Problems with known facts."""
from .classic import quadratic, rosenbrock
from .factorisation import asymmetric_factorisation, symmetric_factorisation
from .flat import convex_quartic, nonconvex_quartic, powell_singular, rosenbrock_quartic, separable_quartic
from .neurons import two_neurons
from .sensing import quadratic_sensing

__all__ = [
    "asymmetric_factorisation", "convex_quartic", "nonconvex_quartic", "powell_singular", "quadratic", "quadratic_sensing",
    "rosenbrock", "rosenbrock_quartic", "separable_quartic", "symmetric_factorisation", "two_neurons",
]
