"""A state machine's definition as a picture: plain SVG that reads well in light and in dark."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any, Final

from bedrock_tuning.review.pages.layered_layout import Arrow, Box, Point, place

Definition = Mapping[str, Any]

_FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
# Mean width of a character of a sans-serif font, as a share of its size; wide enough for bold.
_CHARACTER: Final = 0.57
_TITLE: Final = 13.0
_SMALL: Final = 10.5
_MARGIN: Final = 14.0
_LAYER_GAP: Final = 24.0
# As many states go there on an error, it is said in each of them instead of drawn from each.
_COMMON: Final = 3

STYLE: Final = """
.flow{--ink:#1b2330;--soft:#5b6675;--line:#8a94a3;--paper:#fff;--task:#e9f1ff;--task-line:#5b8def;
--choice:#fff6df;--choice-line:#d9a521;--plain:#f3f4f6;--plain-line:#a7afbb;--good:#e5f6ea;
--good-line:#3fa45b;--bad:#fdeaea;--bad-line:#d9534f;--group:#f8fafc}
@media (prefers-color-scheme:dark){.flow{--ink:#e8edf5;--soft:#a9b4c3;--line:#75808f;
--paper:#12161d;--task:#18263f;--task-line:#5b8def;--choice:#33290f;--choice-line:#c99a24;--plain:#20262f;
--plain-line:#5c6675;--good:#14301d;--good-line:#3fa45b;--bad:#3a1a1b;--bad-line:#d9534f;
--group:#161b23}}
.flow text{fill:var(--ink)}.flow .s{fill:var(--soft)}.flow .e{fill:var(--bad-line)}
.flow .l{fill:var(--soft)}
.flow path{fill:none;stroke:var(--line);stroke-width:1.4}
.flow path.c{stroke:var(--bad-line);stroke-dasharray:4 3}
.flow .h{fill:var(--line)}.flow .hc{fill:var(--bad-line)}
.flow .task{fill:var(--task);stroke:var(--task-line)}
.flow .choice{fill:var(--choice);stroke:var(--choice-line)}
.flow .plain{fill:var(--plain);stroke:var(--plain-line)}
.flow .good{fill:var(--good);stroke:var(--good-line)}
.flow .bad{fill:var(--bad);stroke:var(--bad-line)}
.flow .group{fill:var(--group);stroke:var(--task-line);stroke-dasharray:2 3}
""".replace("\n", "")

_CLASSES: Final = {
    "Task": "task",
    "Map": "group",
    "Parallel": "group",
    "Choice": "choice",
    "Succeed": "good",
    "Fail": "bad",
}


def state_machine(definition: Definition, *, title: str) -> str:
    """One SVG document of an Amazon States Language definition.

    Arrows are transitions, dashed red ones are errors caught; where most states lead on an error is
    written in them instead. Map and Parallel states contain their own states. The picture carries
    its style, so it can be a file of its own or stand inside a page.
    """
    body, width, height = _flow(definition, "flow")
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="{_FONT}"><title>{escape(title)}</title><style>{STYLE}</style>'
        '<rect width="100%" height="100%" style="fill:var(--paper)"/>'
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">{body}</g></svg>\n'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """One state, ready to be drawn around the point (0, 0)."""

    width: float
    height: float
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transition:
    head: str
    label: str
    caught: bool = False


def transitions(state: Mapping[str, Any]) -> Iterator[_Transition]:
    """Where a state leads, and why."""
    for rule in state.get("Choices", ()):
        yield _Transition(head=rule["Next"], label=condition(rule))
    if "Default" in state:
        yield _Transition(head=state["Default"], label="otherwise")
    if "Next" in state:
        yield _Transition(head=state["Next"], label="")
    for catcher in state.get("Catch", ()):
        yield _Transition(head=catcher["Next"], label="on error", caught=True)


_COMPARISONS: Final = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanEquals": "≥",
    "LessThan": "<",
    "LessThanEquals": "≤",
    "Matches": "is like",
}


def condition(rule: Mapping[str, Any]) -> str:
    """A choice rule in a few words: "shards > 0"."""
    for word, joint in (("And", " and "), ("Or", " or ")):
        if word in rule:
            return joint.join(condition(part) for part in rule[word])
    if "Not" in rule:
        return f"not ({condition(rule['Not'])})"
    if "Condition" in rule:
        return str(rule["Condition"]).strip("{}% ")
    name = str(rule.get("Variable", "?")).rpartition(".")[2].replace("_", " ")
    for key, value in rule.items():
        if key == "IsPresent":
            return f"has {name}" if value else f"has no {name}"
        if key == "BooleanEquals":
            return name if value else f"not {name}"
        for kind in ("String", "Numeric", "Timestamp"):
            sign = _COMPARISONS.get(key.removeprefix(kind).removesuffix("Path"))
            if key.startswith(kind) and sign:
                return f"{name} {sign} {value}"
    return name


def does(state: Mapping[str, Any]) -> str:
    """What a state does, in one short line under its name; "" when its name says all."""
    match state["Type"]:
        case "Task":
            return _called(str(state.get("Resource", "")))
        case "Wait":
            return f"waits {state['Seconds']} s" if "Seconds" in state else "waits"
        case "Map":
            most = state.get("MaxConcurrency")
            return "for each item" + (f", {most} at a time" if most else "")
        case "Parallel":
            return "all at the same time"
        case "Fail":
            return "fails"
        case "Succeed":
            return "ends well"
    return ""


def _called(resource: str) -> str:
    if resource.startswith("${"):
        return f"function {resource.strip('${}')}"
    if ":lambda:" in resource:
        return f"function {resource.rpartition(':')[2]}"
    call = resource.partition("states:::")[2] or resource
    service, _, action = call.removeprefix("aws-sdk:").partition(":")
    action, _, pattern = action.partition(".")
    waits = {"sync": ", until it ends", "sync:2": ", until it ends", "waitForTaskToken": ", waits"}
    return f"{service}: {action}{waits.get(pattern, '')}"


def _text_width(text: str, size: float) -> float:
    return len(text) * size * _CHARACTER


def _flow(definition: Definition, scope: str) -> tuple[str, float, float]:
    states: Mapping[str, Mapping[str, Any]] = definition["States"]
    start = definition["StartAt"]
    names = [start, *(name for name in states if name != start)]
    catches = Counter(
        catcher["Next"] for state in states.values() for catcher in state.get("Catch", ())
    )
    common = {name for name, count in catches.items() if count >= _COMMON}
    boxes = {name: _box(name, states[name], common, scope) for name in names if name in states}
    # A labelled transition passes through its label, so that labels get room like boxes do.
    wanted: dict[Arrow, _Transition] = {}
    for name in tuple(boxes):
        for number, found in enumerate(transitions(states[name])):
            if found.head not in states or (found.caught and found.head in common):
                continue
            tail, key = name, f"{name}\0{number}"
            if found.label:
                boxes[key] = _label(found.label)
                wanted[Arrow(tail=name, head=key)] = found
                tail = key
            wanted[Arrow(tail=tail, head=found.head, key=key)] = found
    placed = place(
        [Box(name=n, width=b.width, height=b.height) for n, b in boxes.items()],
        list(wanted),
        layer_gap=_LAYER_GAP,
    )
    parts = [
        _arrow(points, wanted[arrow], tip=arrow.head in states)
        for arrow, points in placed.routes.items()
    ]
    for name, box in boxes.items():
        x, y = placed.centres[name]
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{box.body}</g>')
    return "".join(parts), placed.width, placed.height


def _box(name: str, state: Mapping[str, Any], common: set[str], scope: str) -> _Box:
    lines = [(name, _TITLE, "t"), *([(does(state), _SMALL, "s")] if does(state) else [])]
    for catcher in state.get("Catch", ()):
        if catcher["Next"] in common:
            lines.append((f"on error: {catcher['Next']}", _SMALL, "e"))
    inner = _inside(state, scope + name)
    width = max(_text_width(text, size) for text, size, _ in lines) + 28
    head = sum(size + 5 for _, size, _ in lines) + 13
    height = head
    if inner:
        width = max(width, sum(w + 24 for _, w, _ in inner) + 8)
        height += max(h for _, _, h in inner) + 22
    kind = _CLASSES.get(state["Type"], "plain")
    radius = 18 if kind in ("choice", "good", "bad") else 7
    parts = [
        f'<rect class="{kind}" x="{-width / 2:.1f}" y="{-height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius}" stroke-width="1.3"/>'
    ]
    y = -height / 2 + 6
    for text, size, css in lines:
        y += size + 5
        weight = ' font-weight="600"' if css == "t" else ""
        parts.append(
            f'<text class="{css}" text-anchor="middle" y="{y - 3:.1f}" font-size="{size}"{weight}>'
            f"{escape(text)}</text>"
        )
    x = -sum(w + 24 for _, w, _ in inner) / 2 + 12
    for body, inner_width, _ in inner:
        parts.append(f'<g transform="translate({x:.1f} {-height / 2 + head + 8:.1f})">{body}</g>')
        x += inner_width + 24
    return _Box(width=width, height=height, body="".join(parts))


def _inside(state: Mapping[str, Any], scope: str) -> list[tuple[str, float, float]]:
    """The flows inside a Map or Parallel state."""
    inner = state.get("ItemProcessor") or state.get("Iterator")
    flows = [inner] if inner else list(state.get("Branches", ()))
    return [_flow(flow, f"{scope}{number}") for number, flow in enumerate(flows)]


def _arrow(points: Sequence[Point], found: _Transition, *, tip: bool) -> str:
    (x, y) = points[-1]
    up = y < points[0][1]
    end = y + (6 if up else -6) if tip else y
    route = [*points[:-1], (x, end)]
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(route):
        bend = (y1 + y2) / 2
        straight = abs(x1 - x2) < 0.5
        path.append(
            f"L{x2:.1f} {y2:.1f}"
            if straight
            else f"C{x1:.1f} {bend:.1f} {x2:.1f} {bend:.1f} {x2:.1f} {y2:.1f}"
        )
    css = ' class="c"' if found.caught else ""
    line = f'<path{css} d="{"".join(path)}"/>'
    if not tip:
        return line
    base = 8 if up else -8
    return (
        f'{line}<polygon class="{"hc" if found.caught else "h"}" '
        f'points="{x:.1f},{y:.1f} {x - 4:.1f},{y + base:.1f} {x + 4:.1f},{y + base:.1f}"/>'
    )


def _label(text: str) -> _Box:
    body = (
        f'<text class="l" text-anchor="middle" y="3.5" font-size="{_SMALL}">{escape(text)}</text>'
    )
    return _Box(width=_text_width(text, _SMALL), height=13, body=body)
