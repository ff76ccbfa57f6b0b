"""``python -m curvopt``: compare the methods on real data. ``python -m curvopt --help`` shows the rest."""
import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
