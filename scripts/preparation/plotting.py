"""matplotlib: that of the running interpreter, or of `.build-plotting`, an environment of its own."""

from .extra import ExtraEnvironment

ENVIRONMENT = ExtraEnvironment(".build-plotting", "requirements-plotting.txt", ("matplotlib",), "150 MB")
