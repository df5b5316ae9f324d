"""From a tool's template file and logical id to the construct that a person knows."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bedrock_tuning.review.assembly import template
from tools.scan.cases import Case
from tools.scan.table import ScanFinding, general


class ScannedPlaces:
    """The templates of several cases. folders: the cloud assembly of each."""

    def __init__(self, folders: Mapping[Case, Path], *, customizations: Iterable[str]) -> None:
        self._names = list(customizations)
        self._cases = {
            str(path.resolve()): case
            for case, folder in folders.items()
            for path in sorted(folder.glob("*.template.json"))
        }
        self._paths = {
            case: {(r.stack, r.logical_id): r.path for r in template.read(folder).resources}
            for case, folder in folders.items()
        }

    @property
    def files(self) -> list[str]:
        """All templates."""
        return list(self._cases)

    def finding(
        self, tool: str, *, rule: str, file: str, logical_id: str, detail: str
    ) -> ScanFinding:
        """A finding at a construct's path; at its stack when it has no logical id."""
        resolved = str(Path(file).resolve())
        case = self._cases[resolved]
        stack = Path(resolved).name.removesuffix(".template.json")
        path = self._paths[case].get((stack, logical_id)) or f"{stack}/{logical_id}".rstrip("/")
        return ScanFinding(
            tool=tool,
            rule=rule,
            where=general(path, case=case, customizations=self._names),
            detail=detail,
            case=case,
        )
