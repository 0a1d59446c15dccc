"""What axes of several figures have in common."""

from matplotlib.ticker import FuncFormatter


def doubling(axis, label, values):
    """An axis of counts that double."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(values, [str(value) for value in values])
    axis.minorticks_off()
    axis.set_xlabel(label)
    axis.grid(alpha=0.3)


def logarithmic_seconds(axis):
    """Seconds over powers of ten, written as numbers."""
    axis.set_yscale("log")
    for kind in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        kind(FuncFormatter(lambda value, _: f"{value:g}"))
