"""An OpenAI-compatible endpoint that invents text, enforces rate limits and shows faults on request.

It is for demonstrations, tests and first steps: nothing it says is true, every response says that it is simulated, and
the same seed and prompt always give the same text.
"""

from corpusmill.simulate.faults import Fault, parse_faults
from corpusmill.simulate.options import OptionError, SimulateOptions
from corpusmill.simulate.server import create_app, serving
from corpusmill.simulate.simulation import Simulation

__all__ = ["Fault", "OptionError", "SimulateOptions", "Simulation", "create_app", "parse_faults", "serving"]
