"""PyTorch, transformers and PEFT: those of the running interpreter, or of `.build-pytorch`, an environment of their own.

The wheel of PyTorch for CPU is looked for where pip is set up to look (an index or a folder of wheels), then in
PyTorch's own index. The CUDA build of PyPI, several gigabytes, is never taken in its place.
"""

from .extra import ExtraEnvironment

ENVIRONMENT = ExtraEnvironment(
    ".build-pytorch", "requirements-pytorch.txt", ("torch", "transformers", "peft"), "1.2 GB",
    indexes=["https://download.pytorch.org/whl/cpu"])
