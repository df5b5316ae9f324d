"""Templates that were synthesized, with a change in one of them, for the real CDK CLI to deploy."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


def changed(source: Path, to: Path, stack: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copies a cdk.out; `change` is given the resources of one stack."""
    to.mkdir()
    for each in source.iterdir():
        if each.name.startswith("asset."):
            (to / each.name).symlink_to(each)
        elif each.is_file():
            shutil.copy(each, to)
    file = to / f"{stack}.template.json"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    template = json.loads(file.read_text("utf-8"))
    change(template["Resources"])
    file.write_text(json.dumps(template), "utf-8")
    # The CLI uploads a template once for each hash.
    new = hashlib.sha256(file.read_bytes()).hexdigest()
    for name in ("manifest.json", f"{stack}.assets.json"):
        text = (to / name).read_text("utf-8")
        assert old in text
        (to / name).write_text(text.replace(old, new), "utf-8")
    return to
