"""The figures of runs. Each function takes the runs, and returns a figure or None where there is nothing to show."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import runs as data


def accuracy_and_gap(runs):
    """Personalised and global accuracy by round, and below them their difference in points."""
    if not any(run.series("global", "accuracy")[0] for run in runs):
        return None
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[2, 1])
    for index, (run, label) in enumerate(zip(runs, data.labels(runs))):
        for name, style in (("global", "-"), ("personalised", "--")):
            rounds, values = run.series(name, "accuracy")
            above.plot(rounds, percent(values), style, marker=".", color=f"C{index}", label=f"{label}, {name}")
        rounds, values = run.series("gap")
        below.plot(rounds, percent(values), marker=".", color=f"C{index}")
    finish(above, None, "accuracy in %")
    finish(below, "round", "gap in points", legend=False)
    return figure


def rho(runs):
    """ρ by round between plain averaging and the best that any factors of this rank can do."""
    runs = [run for run in runs if run.series("rho")[0]]
    if not runs:
        return None
    figure, axes = grid(len(runs))
    for axis, run, label in zip(axes, runs, data.labels(runs)):
        bounded = [row for row in run.rounds if all(data.at(row, [key]) is not None
                                                    for key in ("rho", "rhoFedIT", "rhoOptimum"))]
        rounds = [row["round"] for row in bounded]
        low, high = ([row[key] for row in bounded] for key in ("rhoOptimum", "rhoFedIT"))
        axis.fill_between(rounds, low, high, alpha=0.2, color="C0", label="optimum to plain averaging")
        axis.plot(rounds, high, ":", color="C0")
        axis.plot(rounds, low, ":", color="C0")
        axis.plot(*run.series("rho"), marker=".", color="C1", label="ρ")
        finish(axis, "round", "distance from the ideal update", title=label)
        axis.set_ylim(bottom=0)
    return figure


def phases(runs):
    """Seconds of every round by phase, the mean over the ranks."""
    figure, axes = grid(len(runs))
    for axis, run, label in zip(axes, runs, data.labels(runs)):
        rounds = [row["round"] for row in run.rounds]
        bottom = [0.0] * len(rounds)
        for index, phase in enumerate(data.PHASES):
            heights = [data.at(row, ["seconds", phase, "mean"]) or 0.0 for row in run.rounds]
            axis.bar(rounds, heights, bottom=bottom, color=f"C{index}", label=phase)
            bottom = [low + height for low, height in zip(bottom, heights)]
        finish(axis, "round", "seconds, mean over ranks", title=label)
    return figure


def bytes_by_method(runs):
    """Bytes of a round, the mean over the rounds: a federation's uploads and downloads, and what MPI carried."""
    figure = Figure(figsize=(max(6, 1.6 * len(runs) + 3), 4.5), layout="constrained")
    axis = figure.subplots()
    names = ["clients' upload", "clients' download", "gathered by MPI", "broadcast by MPI"]
    for index, (key, name) in enumerate(zip(data.BYTES, names)):
        places = [place + 0.2 * (index - 1.5) for place in range(len(runs))]
        axis.bar(places, [run.mean("bytes", key) * 1e-6 for run in runs], width=0.2, label=name)
    axis.set_xticks(range(len(runs)), data.labels(runs))
    finish(axis, None, "MB a round", whole=False)
    return figure


def percent(values):
    return [100 * value for value in values]


def grid(count):
    """Axes for `count` panels, at most three in a row."""
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(5 * columns + 1, 4 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes


def finish(axis, x, y, title=None, legend=True, whole=True):
    """Labels; `whole`: the values along x are counts."""
    axis.set_ylabel(y)
    if x:
        axis.set_xlabel(x)
    if title:
        axis.set_title(title)
    if whole:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
    if legend:
        axis.legend(fontsize="small")
