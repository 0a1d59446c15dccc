"""The figure of `florana benchmark servers`."""

from matplotlib.figure import Figure

from .axes import doubling, logarithmic_seconds


def exchange(rows):
    """Seconds of an exchange by clients, a curve a mode; side by side for every number of ranks."""
    ranks = sorted({row["ranks"] for row in rows})
    figure = Figure(figsize=(5.5 * len(ranks), 4.5), layout="constrained")
    for axis, count in zip(figure.subplots(1, len(ranks), sharey=True, squeeze=False)[0], ranks):
        here = [row for row in rows if row["ranks"] == count]
        for index, mode in enumerate(dict.fromkeys(row["mode"] for row in here)):
            curve = sorted((row["cohort"], row["seconds"]) for row in here if row["mode"] == mode)
            axis.plot(*zip(*curve), marker="o", color=f"C{index}", label=mode)
        doubling(axis, "clients", sorted({row["cohort"] for row in here}))
        axis.set_title(f"{count} rank{'s' if count > 1 else ''}")
        axis.legend(fontsize="small")
    first = figure.axes[0]
    logarithmic_seconds(first)
    first.set_ylabel("seconds of an exchange")
    return figure
