"""Problems with compiled ``fun``, ``jac`` and ``hessp``, a start, and what is known about them."""
from ._problem import Problem
from .classic import quadratic, rosenbrock
from .collection import by_name, eight
from .datasets import breast_cancer, diabetes, digits
from .factorisation import asymmetric_factorisation, symmetric_factorisation
from .fitting import biggs_exp6, brown_dennis, chebyquad, penalty1
from .flat import convex_quartic, nonconvex_quartic, powell_singular, rosenbrock_quartic, separable_quartic
from .neurons import two_neurons
from .perceptron import perceptron
from .regression import logistic, phase_retrieval, poisson, robust
from .sensing import quadratic_sensing
from .softmax import softmax
from .sums import finite_sum
from .textbook import beale, trigonometric, wood
from .worst_case import worst_case, worst_case_value

__all__ = [
    "Problem", "asymmetric_factorisation", "beale", "biggs_exp6", "breast_cancer", "brown_dennis", "by_name", "chebyquad",
    "convex_quartic", "diabetes", "digits", "eight", "finite_sum", "logistic", "nonconvex_quartic", "penalty1",
    "perceptron", "phase_retrieval", "poisson", "powell_singular", "quadratic", "quadratic_sensing", "robust", "rosenbrock",
    "rosenbrock_quartic", "separable_quartic", "softmax", "symmetric_factorisation", "trigonometric", "two_neurons", "wood",
    "worst_case", "worst_case_value",
]


def __dir__():
    return __all__
