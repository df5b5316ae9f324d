"""Puts the code of the functions into the wheel, inside of the package: CDK apps deploy it."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithFunctions(build_py):
    """Copies lambdas/ beside what is packaged; an editable installation has the checkout."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree(
                "lambdas",
                Path(self.build_lib) / "bedrock_tuning" / "_functions" / "lambdas",
                ignore=shutil.ignore_patterns("__pycache__"),
                dirs_exist_ok=True,
            )


setup(cmdclass={"build_py": BuildWithFunctions})
