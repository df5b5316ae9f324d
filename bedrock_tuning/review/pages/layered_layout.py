"""Places the boxes of a directed graph in layers and routes its arrows, for the pictures.

Sugiyama's method in its plain form: arrows that go back are turned for the placing, each box lies
below what leads to it, crossings are reduced by barycentres, and positions solve a least-squares
problem per layer. No well-kept pure-Python library does this and none may be a system package.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]

_SWEEPS = 24
_GAP = 26.0
_LANE_GAP = 14.0
# Lanes are kept straighter than boxes: a long arrow with many bends is hard to follow.
_LANE_WEIGHT = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node: its name and size."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An edge; `key` tells apart several arrows between the same boxes."""

    tail: str
    head: str
    key: str = ""


@dataclass(slots=True)
class Placed:
    """The geometry: centres of the boxes, the points that each arrow passes, the whole size."""

    centres: dict[str, Point] = field(default_factory=dict)
    routes: dict[Arrow, list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


# A node while placing: a box's name, or a lane ("head of the arrow", layer) that passes a layer.
_Node = tuple[str, int]


def place(boxes: Sequence[Box], arrows: Sequence[Arrow], *, layer_gap: float = 46.0) -> Placed:
    """Places the boxes from top to bottom; the first box is the start.

    Arrows with the same head share their lane through the layers between, so that many that end
    in one box become one line. An arrow from a box to itself is not drawn.
    """
    sizes = {box.name: box for box in boxes}
    real = [a for a in arrows if a.tail != a.head]
    turned = _back_arrows([box.name for box in boxes], real)
    layer_of = _layers([box.name for box in boxes], real, turned)
    chains, layers = _lanes(layer_of, real, turned)
    _order(layers, chains)
    xs = _positions(layers, chains, sizes)
    return _geometry(layers, chains, xs, sizes, turned, layer_gap)


def _back_arrows(names: Sequence[str], arrows: Sequence[Arrow]) -> set[Arrow]:
    outgoing: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        outgoing[arrow.tail].append(arrow)
    back: set[Arrow] = set()
    done: set[str] = set()
    active: set[str] = set()

    def visit(name: str) -> None:
        active.add(name)
        for arrow in outgoing[name]:
            if arrow.head in active:
                back.add(arrow)
            elif arrow.head not in done:
                visit(arrow.head)
        active.discard(name)
        done.add(name)

    for name in names:
        if name not in done:
            visit(name)
    return back


def _layers(names: Sequence[str], arrows: Iterable[Arrow], turned: set[Arrow]) -> dict[str, int]:
    """The longest way to each box, counted in layers."""
    before: dict[str, list[str]] = defaultdict(list)
    for arrow in arrows:
        tail, head = (arrow.head, arrow.tail) if arrow in turned else (arrow.tail, arrow.head)
        before[head].append(tail)
    found: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in found:
            found[name] = max((layer(b) + 1 for b in before[name]), default=0)
        return found[name]

    for name in names:
        layer(name)
    return found


def _lanes(
    layer_of: Mapping[str, int], arrows: Iterable[Arrow], turned: set[Arrow]
) -> tuple[dict[Arrow, list[_Node]], list[list[_Node]]]:
    """Each arrow as the nodes it passes, one per layer; and the nodes of each layer."""
    layers: list[list[_Node]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name, number in layer_of.items():
        layers[number].append((name, -1))
    chains: dict[Arrow, list[_Node]] = {}
    known: set[_Node] = set()
    for arrow in arrows:
        top, bottom = (arrow.head, arrow.tail) if arrow in turned else (arrow.tail, arrow.head)
        # A turned arrow's shared lane lies on the other side of its head: another name.
        lane = f"{arrow.head}\0{'up' if arrow in turned else 'down'}"
        chain: list[_Node] = [(top, -1)]
        for number in range(layer_of[top] + 1, layer_of[bottom]):
            node = (lane, number)
            chain.append(node)
            if node not in known:
                known.add(node)
                layers[number].append(node)
        chain.append((bottom, -1))
        chains[arrow] = chain
    return chains, layers


def _neighbours(
    chains: Mapping[Arrow, Sequence[_Node]],
) -> tuple[dict[_Node, list[_Node]], dict[_Node, list[_Node]]]:
    above: dict[_Node, list[_Node]] = defaultdict(list)
    below: dict[_Node, list[_Node]] = defaultdict(list)
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            if lower not in below[upper]:
                below[upper].append(lower)
                above[lower].append(upper)
    return above, below


def _order(layers: list[list[_Node]], chains: Mapping[Arrow, Sequence[_Node]]) -> None:
    above, below = _neighbours(chains)
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        numbers = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for number in numbers:
            fixed = layers[number - 1 if down else number + 1]
            place_of = {node: i for i, node in enumerate(fixed)}
            links = above if down else below
            here = {node: i for i, node in enumerate(layers[number])}

            def weight(
                node: _Node,
                links: Mapping[_Node, list[_Node]] = links,
                place_of: Mapping[_Node, int] = place_of,
                here: Mapping[_Node, int] = here,
            ) -> float:
                found = [place_of[n] for n in links.get(node, ()) if n in place_of]
                return sum(found) / len(found) if found else float(here[node])

            layers[number].sort(key=weight)
        now = _crossings(layers, below)
        if now < fewest:
            fewest, best = now, [list(layer) for layer in layers]
    layers[:] = best


def _crossings(layers: Sequence[Sequence[_Node]], below: Mapping[_Node, list[_Node]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place_of = {node: i for i, node in enumerate(lower)}
        ends = [sorted(place_of[n] for n in below.get(node, ())) for node in upper]
        for i, left in enumerate(ends):
            for right in ends[i + 1 :]:
                total += sum(1 for a in left for b in right if b < a)
    return total


def _positions(
    layers: Sequence[Sequence[_Node]],
    chains: Mapping[Arrow, Sequence[_Node]],
    sizes: Mapping[str, Box],
) -> dict[_Node, float]:
    above, below = _neighbours(chains)

    def half(node: _Node) -> float:
        return sizes[node[0]].width / 2 if node[1] < 0 else 0.0

    def distance(left: _Node, right: _Node) -> float:
        gap = _GAP if left[1] < 0 and right[1] < 0 else _LANE_GAP
        return half(left) + half(right) + gap

    xs: dict[_Node, float] = {}
    for layer in layers:
        at = 0.0
        for number, node in enumerate(layer):
            at += distance(layer[number - 1], node) if number else 0.0
            xs[node] = at
        for node in layer:
            xs[node] -= at / 2
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted, weights = [], []
            for node in layer:
                near = [*above.get(node, ()), *below.get(node, ())]
                first = above if down else below
                found = [xs[n] for n in first.get(node, ()) or near]
                wanted.append(sum(found) / len(found) if found else xs[node])
                weights.append(_LANE_WEIGHT if node[1] >= 0 else 1.0)
            offsets = [0.0]
            for left, right in pairwise(layer):
                offsets.append(offsets[-1] + distance(left, right))
            free = _monotone([w - o for w, o in zip(wanted, offsets, strict=True)], weights)
            for node, value, offset in zip(layer, free, offsets, strict=True):
                xs[node] = value + offset
    return xs


def _monotone(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The closest non-decreasing sequence, by weighted least squares (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v1, w1, n1), (v2, w2, n2) = blocks[-2:]
            blocks[-2:] = [((v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, n1 + n2)]
    return [value for value, _, count in blocks for _ in range(count)]


def _geometry(
    layers: Sequence[Sequence[_Node]],
    chains: Mapping[Arrow, Sequence[_Node]],
    xs: Mapping[_Node, float],
    sizes: Mapping[str, Box],
    turned: set[Arrow],
    layer_gap: float,
) -> Placed:
    placed = Placed()
    halves = [sizes[n].width / 2 if kind < 0 else 0.0 for layer in layers for n, kind in layer]
    nodes = [node for layer in layers for node in layer]
    left = min((xs[n] - h for n, h in zip(nodes, halves, strict=True)), default=0.0)
    right = max((xs[n] + h for n, h in zip(nodes, halves, strict=True)), default=0.0)
    spans: dict[_Node, tuple[float, float]] = {}
    floors: dict[_Node, float] = {}
    top = 0.0
    for layer in layers:
        height = max((sizes[n].height for n, kind in layer if kind < 0), default=0.0)
        for node in layer:
            own = sizes[node[0]].height if node[1] < 0 else height
            # Boxes hang from the top of their layer, lanes run through the whole of it.
            spans[node] = (top, top + own)
            floors[node] = top + height
            if node[1] < 0:
                placed.centres[node[0]] = (xs[node] - left, top + own / 2)
        top += height + layer_gap
    for arrow, chain in chains.items():
        points: list[Point] = []
        for number, node in enumerate(chain):
            x = xs[node] - left
            if number:
                points.append((x, spans[node][0]))
            if number < len(chain) - 1:
                points.append((x, spans[node][1]))
                # Past a taller neighbour an arrow goes straight down before it turns.
                if floors[node] > spans[node][1]:
                    points.append((x, floors[node]))
        placed.routes[arrow] = points[::-1] if arrow in turned else points
    placed.width = right - left
    placed.height = max(top - layer_gap, 0.0)
    return placed
