"""Archives: what is unpacked, what is left out, and what is refused before it is written."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from bedrock_tuning.dataset.layouts.archives import is_archive, stem_of, unpack
from bedrock_tuning.errors import UserError
from tests.dataset.layouts.shelf import tar, zipped

MIB = 1 << 20
PLAIN = {"1.jpg": b"one" * 99, "a/2.jpg": b"two" * 99}


def unpacked(archive: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in unpack(archive, archive.parent / "room")}


def refusal(archive: Path) -> str:
    with pytest.raises(UserError) as refused:
        unpacked(archive)
    assert refused.value.where == archive.name
    return f"{refused.value.what} | {refused.value.fix}"


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("a.tar", "a"),
        ("a.tar.gz", "a"),
        ("b/A.TGZ", "b/A"),
        ("b/c.d.zip", "b/c.d"),
        ("a.gz", None),
        ("a.rar", None),
        ("zip", None),
    ],
)
def test_an_archive_is_known_by_its_ending(file: str, stem: str | None) -> None:
    assert is_archive(file) == (stem is not None)
    if stem is not None:
        assert stem_of(file) == stem


@pytest.mark.parametrize("name", ["a.tar", "a.TGZ", "a.zip"])
def test_every_member_is_unpacked_below_the_room(name: str, tmp_path: Path) -> None:
    made = {"a.tar": tar(PLAIN), "a.TGZ": gzip.compress(tar(PLAIN)), "a.zip": zipped(PLAIN)}
    (tmp_path / name).write_bytes(made[name])
    assert unpacked(tmp_path / name) == PLAIN
    assert (tmp_path / "room" / "a" / "2.jpg").read_bytes() == PLAIN["a/2.jpg"]


def test_folders_and_links_in_a_zip_are_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("folder/", b"")
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, b"/etc/passwd")
        plain = zipfile.ZipInfo("1.jpg")
        plain.external_attr = (stat.S_IFREG | 0o644) << 16
        packed.writestr(plain, b"1")
    assert unpacked(tmp_path / "a.zip") == {"1.jpg": b"1"}


def test_folders_and_devices_in_a_tar_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        for kind in (tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"of kind {kind!r}")
            info.type, info.linkname = kind, "1.jpg"
            packed.addfile(info)
        packed.addfile(tarfile.TarInfo("1.jpg"))
    assert unpacked(tmp_path / "a.tar") == {"1.jpg": b""}


@pytest.mark.parametrize(
    "name", ["/1.jpg", "..", "../1.jpg", "a/../1.jpg", "C:/1.jpg", "C:\\1.jpg", "..\\1.jpg", "a:b"]
)
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "a.tar").write_bytes(tar({name: b"x", "2.jpg": b"y"}))
    told = refusal(tmp_path / "a.tar")
    assert told.startswith(f"{name} in the archive would be written outside of its folder | pack")
    assert [each.name for each in tmp_path.rglob("*")] == ["a.tar"]


@pytest.mark.parametrize("name", ["a/b:c.jpg", "a\\b.jpg", "a..b.jpg"])
def test_a_name_that_only_looks_like_it_is_unpacked(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar({name: b"x"}))
    assert unpacked(tmp_path / "a.tar") == {name: b"x"}
    assert (tmp_path / "room" / name.replace("\\", "/")).is_file()


def declared(path: Path, *sizes: int, length: int = 0) -> Path:
    """A tar of zeros whose members say these sizes; of so many bytes, a hole for the most part."""
    with path.open("wb") as file:
        for number, size in enumerate(sizes):
            info = tarfile.TarInfo(f"{number}.jpg")
            info.size = size
            file.write(info.tobuf())
            if number < len(sizes) - 1:
                file.write(bytes(-(-size // 512) * 512))
        file.truncate(length or file.tell())
    return path


@pytest.mark.parametrize(
    ("sizes", "length", "most"),
    [
        # Images do not shrink twentyfold; below 64 MiB nobody minds.
        ([64 * MIB], 0, 0),
        ([64 * MIB + 1], 0, 64 * MIB),
        ([512, 64 * MIB - 512], 0, 0),
        ([512, 64 * MIB - 511], 0, 64 * MIB),
        ([80 * MIB], 4 * MIB, 0),
        ([80 * MIB + 1], 4 * MIB, 80 * MIB),
        # No image has more than a GiB.
        ([1024 * MIB + 1], 60 * MIB, 1024 * MIB + 1),
    ],
)
def test_what_grows_beyond_measure_is_refused_before_it_is_unpacked(
    sizes: list[int], length: int, most: int, tmp_path: Path
) -> None:
    archive = declared(tmp_path / "a.tar", *sizes, length=length)
    told = refusal(archive)
    if most:
        asked = f"it would unpack to more than {most:,} bytes, {archive.stat().st_size:,} as"
        assert told.startswith(asked)
        assert told.endswith("| unpack it yourself and pass the folder, if you trust it")
        assert len([*tmp_path.glob("room/*")]) == len(sizes) - 1
    else:
        # It only says so: its bytes are not there.
        assert told == "the archive cannot be read: unexpected end of data | download it again"


def _bytes_of(name: str) -> bytes:
    packed = io.BytesIO()
    method = zipfile.ZIP_LZMA if "lzma" in name else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(packed, "w", method) as file:
        file.writestr("1.jpg", bytes(range(256)) * 9)
    whole = packed.getvalue()
    start = 30 + len("1.jpg")
    if name == "unknown.zip":
        # Its way of packing, in both places.
        return whole[:8] + b"\x63" + whole[9:].replace(b"\x14\0\0\0\x08", b"\x14\0\0\0\x63")
    if name == "locked.zip":
        at = whole.index(b"PK\x01\x02")
        return whole[:6] + b"\1" + whole[7 : at + 8] + b"\1" + whole[at + 9 :]
    return whole[: start + 9] + b"\xff" * 20 + whole[start + 29 :]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cut.tar.gz", "the archive cannot be read: "),
        ("damaged.zip", "the archive cannot be read: "),
        ("lzma.zip", "the archive cannot be read: "),
        ("unknown.zip", "the archive cannot be read: "),
        ("locked.zip", "the archive is encrypted | unpack it and pass the folder"),
    ],
)
def test_an_archive_that_is_broken_or_locked_is_told_as_that(
    name: str, told: str, tmp_path: Path
) -> None:
    cut = gzip.compress(tar({"1.jpg": bytes(range(256)) * 9}))[:-200]
    (tmp_path / name).write_bytes(cut if name == "cut.tar.gz" else _bytes_of(name))
    assert refusal(tmp_path / name).startswith(told)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("damage", ["another header", "cut in a header"])
def test_no_file_behind_a_damaged_header_of_a_tar_is_lost_without_a_word(
    damage: str, name: str, tmp_path: Path
) -> None:
    whole = tar({f"{number}.jpg": bytes(512) for number in range(3)})
    kept, header = whole[:2048], whole[2048 : 2048 + 512]
    header = b"\1" * 512 if damage == "another header" else header[:100]
    behind = whole[2048 + 512 :] if damage == "another header" else b""
    damaged = kept + header + behind
    (tmp_path / name).write_bytes(gzip.compress(damaged) if name.endswith("gz") else damaged)
    assert refusal(tmp_path / name) == (
        "the archive cannot be read: what follows a file in it is damaged | download it again"
    )


def test_a_tar_without_zeros_at_its_end_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar({"1.jpg": bytes(512), "2.jpg": bytes(512)})[:2048])
    assert [name for name, _ in unpack(tmp_path / "a.tar", tmp_path / "room")] == [
        "1.jpg",
        "2.jpg",
    ]
