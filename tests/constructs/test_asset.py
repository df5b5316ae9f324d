"""What the functions ship, from the source text of their handlers."""

from pathlib import Path

from bedrock_tuning.constructs.asset import exclusions, shipped_files


def test_data_files_are_shipped_with_the_packages_that_read_them(tmp_path: Path) -> None:
    for name, text in {
        "lambdas/__init__.py": "",
        "lambdas/price.py": "def handler(e, c):\n    from bedrock_tuning.catalogue import read",
        "lambdas/requirements.txt": "",
        "lambdas/_unused.py": "",
        "bedrock_tuning/__init__.py": "",
        "bedrock_tuning/catalogue/__init__.py": "import pkgutil",
        "bedrock_tuning/catalogue/discovered.py": "",
        "bedrock_tuning/catalogue/model.toml": "",
        "bedrock_tuning/catalogue/pages/page.html": "",
        "bedrock_tuning/review/__init__.py": "",
        "bedrock_tuning/review/schema.json": "",
        "customizations/pets.toml": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert shipped_files(tmp_path) == (
        "bedrock_tuning/__init__.py",
        "bedrock_tuning/catalogue/__init__.py",
        "bedrock_tuning/catalogue/discovered.py",
        "bedrock_tuning/catalogue/model.toml",
        "bedrock_tuning/catalogue/pages/page.html",
        "lambdas/__init__.py",
        "lambdas/price.py",
    )


def test_the_patterns_open_a_folder_before_they_name_a_file_in_it() -> None:
    assert exclusions(["a/b/c.py", "a/d.py"]) == [
        "/*",
        "!/a",
        "/a/*",
        "!/a/b",
        "/a/b/*",
        "!/a/b/c.py",
        "!/a/d.py",
    ]


def test_imports_for_type_checkers_alone_are_not_shipped(tmp_path: Path) -> None:
    for name, text in {
        "lambdas/__init__.py": "",
        "lambdas/price.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n"
            "    import bedrock_tuning.client\n"
            "else:\n"
            "    import lambdas._real\n"
        ),
        "lambdas/_real.py": "",
        "bedrock_tuning/__init__.py": "",
        "bedrock_tuning/client.py": "",
        "customizations/pets.toml": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert shipped_files(tmp_path) == (
        "lambdas/__init__.py",
        "lambdas/_real.py",
        "lambdas/price.py",
    )
