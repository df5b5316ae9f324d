"""Hooks of mkdocs.yml: what makes the documentation site whole without a network.

A module of its own: MkDocs imports it by name.
"""

from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tools import CHECKOUT

# Browsers start no worker from a page on the disk; the search is one.
_WORKER: Final = "assets/iframe-worker.js"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Names the script before the theme does, which would load it from elsewhere."""
    config.extra["polyfills"] = [_WORKER]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the script to the site's files."""
    script = (CHECKOUT / "node_modules" / "iframe-worker" / "shim" / "index.js").read_text("utf-8")
    files.append(File.generated(config, _WORKER, content=script))
    return files
