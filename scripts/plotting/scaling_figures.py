"""The figures of tables of `florana scaling`."""

from matplotlib.figure import Figure

from . import scaling
from .axes import doubling, logarithmic_seconds
from .runs import PHASES


def curves(rows):
    """Seconds of a round and efficiency: by ranks where the table has several, else by clients."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    by_ranks = len({row["ranks"] for row in rows}) > 1
    if by_ranks and "rankEfficiency" not in rows[0]:
        rows = scaling.merged([rows])
    key, efficiency = ("ranks", "rankEfficiency") if by_ranks else ("clients", "efficiency")
    for index, (name, group) in enumerate(groups(rows, by_ranks)):
        values = [row[key] for row in group]
        left.plot(values, [row["secondsMean"] for row in group], marker="o", color=f"C{index}", label=name)
        left.fill_between(values, *([row[f"seconds{end}"] for row in group] for end in ("Minimum", "Maximum")),
                          alpha=0.15, color=f"C{index}")
        right.plot(values, [row[efficiency] for row in group], marker="o", color=f"C{index}", label=name)
    right.axhline(1, linestyle=":", color="grey", label="ideal")
    right.set_ylim(bottom=0)
    for axis, label in ((left, "seconds of a round"), (right, "efficiency")):
        doubling(axis, key, sorted({row[key] for row in rows}))
        axis.set_ylabel(label)
        axis.legend(fontsize="small")
    logarithmic_seconds(left)
    figure.suptitle(f"{rows[0]['mode']} scaling")
    return figure


def groups(rows, by_ranks):
    """Rows that belong on one curve, by name."""
    if not by_ranks:
        ranks = rows[0]["ranks"]
        return [(f"{ranks} rank{'s' if ranks > 1 else ''}", sorted(rows, key=lambda row: row["clients"]))]
    unit = "clients" if rows[0]["mode"] == "strong" else "clients a rank"
    return [(f"{value:g} {unit}", sorted((row for row in rows if scaling.series(row) == value),
                                         key=lambda row: row["ranks"]))
            for value in sorted({scaling.series(row) for row in rows})]


def phases(rows):
    """Where the seconds of a round go, in the mean over ranks: maxima of different ranks add up to more than a round."""
    rows = sorted(rows, key=lambda row: (scaling.series(row), row["ranks"]))
    figure = Figure(figsize=(max(6, 0.7 * len(rows) + 3), 4.5), layout="constrained")
    axis = figure.subplots()
    bottom = [0.0] * len(rows)
    for index, phase in enumerate(PHASES):
        heights = [row.get(f"{phase}SecondsMean") or 0.0 for row in rows]
        axis.bar(range(len(rows)), heights, bottom=bottom, color=f"C{index}", label=phase)
        bottom = [low + height for low, height in zip(bottom, heights)]
    axis.set_xticks(range(len(rows)), [f"{row['clients']}\n{row['ranks']}" for row in rows])
    axis.set_xlabel("clients (above), ranks (below)")
    axis.set_ylabel("seconds of a round, mean over ranks")
    axis.grid(alpha=0.3, axis="y")
    figure.legend(fontsize="small", loc="outside right upper")
    return figure

