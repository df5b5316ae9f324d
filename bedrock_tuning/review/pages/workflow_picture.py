"""A state machine's definition as a picture: a graph in DOT, drawn by Graphviz as WebAssembly.

Graphviz is the npm package @viz-js/viz, run by Node.js: both are optional. Nothing but pictures
needs them.
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.review.pages.rendering import TEMPLATES
from bedrock_tuning.review.workflow.graph import StateDefinition, inner_definitions, transitions

_Definition = Mapping[str, Any]

# Node looks for the package in the folder in which it runs, and in those above.
_DRAW: Final = (
    'require("@viz-js/viz").instance().then((viz) => process.stdout.write('
    'viz.renderString(require("fs").readFileSync(0, "utf8"), {format: "svg"})))'
)
_SECONDS: Final = 60
# As many states go there on an error, it is said in each of them instead of drawn from each.
_COMMON: Final = 3
_ON_ERROR: Final = "on error: "
_STYLE: Final = (TEMPLATES / "workflow.css").read_text("utf-8").replace("\n", "")
_CLASSES: Final = {
    "Task": "task",
    "Map": "task",
    "Parallel": "task",
    "Choice": "choice",
    "Succeed": "good",
    "Fail": "bad",
}


def draw_workflow(definition: _Definition, *, title: str, folder: Path | None = None) -> str | None:
    """One SVG document of an Amazon States Language definition, for light and dark.

    folder: where to look for the npm package, the current one by default. None without Node.js or
    the package.
    """
    node = shutil.which("node")
    if node is None:
        return None
    process = subprocess.run(  # noqa: S603
        [node, "-e", _DRAW],
        input=dot(definition),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS,
        cwd=folder,
        check=False,
    )
    if process.returncode or "<svg" not in process.stdout:
        return None
    svg = re.sub(
        r"<!--.*?-->\s*", "", process.stdout[process.stdout.index("<svg") :], flags=re.DOTALL
    )
    head = f'<svg class="flow" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
    svg = re.sub(r"<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(rf"<text(?=[^>]*>{_ON_ERROR})", '<text class="error"', svg)
    return re.sub(
        r"<svg([^>]*)>", lambda match: head.replace("<svg ", f"<svg{match[1]} ", 1), svg, count=1
    )


def dot(definition: _Definition) -> str:
    """The graph in Graphviz's language: states are nodes, Map and Parallel states are clusters."""
    return "\n".join(
        (
            "digraph {",
            'graph [nodesep=0.3 ranksep=0.35 fontname="Helvetica" style="rounded"]',
            # Wider than what is shown: a browser's font may be wider than the one measured.
            "node [shape=box style=rounded]",
            'node [fontname="Helvetica-Bold" fontsize=13 margin="0.25,0.09"]',
            'edge [fontname="Helvetica" fontsize=10 arrowsize=0.7]',
            *_flow(definition, ""),
            "}",
        )
    )


def _flow(definition: _Definition, scope: str) -> Iterator[str]:
    states: Mapping[str, StateDefinition] = definition["States"]
    catches = Counter(
        catcher["Next"] for state in states.values() for catcher in state.get("Catch", ())
    )
    common = {name for name, count in catches.items() if count >= _COMMON}
    start = definition["StartAt"]
    for name in sorted(states, key=lambda name: name != start):
        yield from _node(name, states[name], common, scope)
        for transition in transitions(name, states[name]):
            if transition.head in states and not (transition.caught and transition.head in common):
                kind = ' class="caught"' if transition.caught else ""
                yield (
                    f"{_quote(scope + name)} -> {_quote(scope + transition.head)} "
                    f"[label={_quote(f' {transition.label}  ')}{kind}]"
                )


def _node(name: str, state: StateDefinition, common: set[str], scope: str) -> Iterator[str]:
    lines = [name, *([does(state)] if does(state) else [])]
    for catcher in state.get("Catch", ()):
        if catcher["Next"] in common:
            lines.append(f"{_ON_ERROR}{catcher['Next']}")
    kind = _CLASSES.get(state["Type"], "plain")
    label = "\n".join(lines)
    node = f'{_quote(scope + name)} [class="{kind}" label={_quote(label)}]'
    inner = inner_definitions(state)
    if not inner:
        yield node
        return
    yield f"subgraph {_quote(f'cluster {scope}{name}')} {{"
    yield node
    for number, part in enumerate(inner):
        part_scope = f"{scope}{name}/{number}/"
        yield from _flow(part, part_scope)
        yield f"{_quote(scope + name)} -> {_quote(part_scope + part['StartAt'])} [style=dotted]"
    yield "}"


def _quote(text: str) -> str:
    for character, replacement in (("\\", "\\\\"), ('"', '\\"'), ("&", "&amp;"), ("\n", "\\n")):
        text = text.replace(character, replacement)
    return f'"{text}"'


def does(state: StateDefinition) -> str:
    """What a state does, in one short line under its name; "" when its name says all."""
    match state["Type"]:
        case "Task":
            return _task_in_words(str(state.get("Resource", "")))
        case "Wait":
            return f"waits {state['Seconds']} s" if "Seconds" in state else "waits"
        case "Map":
            limit = state.get("MaxConcurrency")
            return "for each item" + (f", {limit} at a time" if limit else "")
        case "Parallel":
            return "all at the same time"
        case "Fail":
            return "fails"
        case "Succeed":
            return "succeeds"
    return ""


def _task_in_words(resource: str) -> str:
    if resource.startswith("${"):
        return f"function {resource.strip('${}')}"
    if ":lambda:" in resource:
        return f"function {resource.rpartition(':')[2]}"
    call = resource.partition("states:::")[2] or resource
    service, _, action = call.removeprefix("aws-sdk:").partition(":")
    action, _, pattern = action.partition(".")
    suffixes = {
        "sync": ", until it ends",
        "sync:2": ", until it ends",
        "waitForTaskToken": ", waits",
    }
    return f"{service}: {action}{suffixes.get(pattern, '')}"
