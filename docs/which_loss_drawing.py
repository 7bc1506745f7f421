"""The picture and the table of "Which loss for which problem", from the benchmark's results.

    python docs/which_loss_drawing.py

draws `docs/images/which_loss.png` from `benchmarks/results/loss_choice.json` and prints the table,
which a test compares with the page.
"""

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from score_drawing import INCHES, save

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks" / "results" / "loss_choice.json"
PICTURE = HERE / "images" / "which_loss.png"

SCORES = {
    "mean IoU": lambda run: run["mean_iou"],
    "rare star IoU": lambda run: run["iou"]["star"],
    "thin line IoU": lambda run: run["iou"]["line"],
    "boundary F1": lambda run: run["boundary_f1"],
    "pixel accuracy": lambda run: run["pixel_accuracy"],
}
TITLES = tuple(SCORES)[:4]  # of the panels
FOUND = 0.2  # an IoU below says that the class is hardly ever predicted
# Colours of Okabe and Ito, made for colour-blind readers; the markers say the same.
FAMILIES = {
    "losses of pixels": ("#0072b2", "o"),
    "losses of regions": ("#d55e00", "s"),
    "sums": ("#009e73", "D"),
}
DASHES = (0, (3, 2))
PIXEL_LOSSES = ("Crossentropy", "Focal", "HardPixels")


class Spread(NamedTuple):
    """One score of one loss over the seeds."""

    values: list[float]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    def __str__(self) -> str:
        """The mean, and half of what lies between the least and the most."""
        return f"{self.mean:.3f} ± {(max(self.values) - min(self.values)) / 2:.3f}"


def measured(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Loss -> its own learning rate, a `Spread` for each of SCORES; the best mean IoU first."""
    runs = results["runs"]
    first = runs[0]["seed"]
    found = {}
    for loss in dict.fromkeys(run["loss"] for run in runs):
        own = [run for run in runs if run["loss"] == loss]
        tried = [run for run in own if run["seed"] == first]
        rate = max(tried, key=lambda run: run["validation_mean_iou"])["rate"]
        kept = [run for run in own if run["rate"] == rate]
        spreads = {name: Spread([score(run) for run in kept]) for name, score in SCORES.items()}
        found[loss] = {"rate": rate, **spreads}
    return dict(sorted(found.items(), key=lambda item: -item[1]["mean IoU"].mean))


def table(results: dict[str, Any]) -> str:
    """Markdown: a row a loss."""
    heads = ["loss", *SCORES, "seeds with stars", "learning rate", "ms a step (ratio)"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for loss, own in measured(results).items():
        stars = own["rare star IoU"].values
        found = f"{sum(value > FOUND for value in stars)} of {len(stars)}"
        time = f"{results['step_ms'][loss]:.0f} ({results['step_ratio'][loss]:.2f})"
        last = [found, f"{own['rate']:g}", time]
        lines.append(f"| {' | '.join([loss, *(str(own[name]) for name in SCORES), *last])} |")
    return "\n".join(lines)


def figure_of(results: dict[str, Any]) -> Figure:
    """A panel a score, a row a loss: each seed, their mean, and the crossentropy's as a line."""
    found = measured(results)
    sizes = ("font.size", "axes.titlesize", "xtick.labelsize", "ytick.labelsize")
    with matplotlib.rc_context(dict.fromkeys(sizes, 8.5)):
        figure = Figure(figsize=(INCHES, 3.9), layout="constrained")
        panels = figure.subplots(1, len(TITLES), sharey=True)
        for axes, title in zip(panels, TITLES, strict=True):
            draw_panel(axes, {loss: own[title] for loss, own in found.items()})
            axes.set_title(title)
        panels[0].set_yticks(range(len(found)), [label(loss) for loss in found])
        panels[0].set_ylim(len(found) - 0.5, -0.5)
        draw_legend(figure)
    return figure


def draw_panel(axes: Axes, spreads: dict[str, Spread]) -> None:
    axes.axvline(spreads["Crossentropy"].mean, color="0.55", linewidth=1, linestyle=DASHES)
    for row, (loss, spread) in enumerate(spreads.items()):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=0)
        color, marker = FAMILIES[family(loss)]
        rows = [row] * len(spread.values)
        axes.plot(sorted(spread.values), rows, color=color, linewidth=1.2, alpha=0.4)
        axes.plot(spread.values, rows, "|", color=color, markersize=6, markeredgewidth=1.2)
        axes.plot(spread.mean, row, marker, color=color, markersize=4.5)
    axes.locator_params(axis="x", nbins=3)
    axes.margins(x=0.12)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("0.6")


def draw_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=color, marker=marker, linestyle="", label=name)
        for name, (color, marker) in FAMILIES.items()
    ]
    handles.append(Line2D([], [], color="0.55", marker="|", linestyle="", label="a seed"))
    handles.append(Line2D([], [], color="0.55", linestyle=DASHES, label="crossentropy"))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=5,
        frameon=False,
        columnspacing=1,
        handletextpad=0.4,
    )


def family(loss: str) -> str:
    if "+" in loss:
        return "sums"
    return "losses of pixels" if loss.split(",")[0] in PIXEL_LOSSES else "losses of regions"


def label(loss: str) -> str:
    """A sum by its short name."""
    return loss.replace("Crossentropy", "CE").replace("0.01 ", "") if "+" in loss else loss


def main() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    save(figure_of(results), PICTURE)
    print(table(results))


if __name__ == "__main__":
    main()
