"""Archives made to be unpacked, and archives made to do harm."""

import io
import tarfile
import zipfile

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.tasks.download.archives import unpack

FILES = {
    "MLQA_V1/dev/dev-context-sw.json": b"{}",
    "MLQA_V1/README.md": b"read",
    "__MACOSX/MLQA_V1/dev/._dev-context-sw.json": b"mac",
}
WANTED = ("MLQA_V1/*/*.json",)


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def tarred(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as tape:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tape.addfile(info, io.BytesIO(content))
    return path


MAKERS = [
    pytest.param(zipped, id="zip"),
    pytest.param(tarred, id="tar.gz"),
    pytest.param(lambda path, files: tarred(path, files, "w:bz2"), id="tar.bz2"),
    pytest.param(lambda path, files: tarred(path, files, "w"), id="tar"),
]


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("top", ["", "./", "some/folder/", "/absolute/"])
def test_members_that_are_asked_for_stand_below_the_folder_wherever_they_stood_inside(make, top, tmp_path):
    archive = make(tmp_path / "a", {top + name: content for name, content in FILES.items()})
    root = tmp_path / "data"
    assert unpack(archive, root, "mlqa", WANTED) == ["mlqa/MLQA_V1/dev/dev-context-sw.json"]
    assert everything(root) == {"mlqa/MLQA_V1/dev/dev-context-sw.json": b"{}"}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", ["../x.json", "a/../../x.json", "..\\x.json"])
def test_a_member_that_would_leave_the_folder_is_refused(make, name, tmp_path):
    archive = make(tmp_path / "a", {name: b"evil"})
    root = tmp_path / "data"
    with pytest.raises(BadInput, match="leaves the data folder"):
        unpack(archive, root, "folder", ("*/*.json",))
    assert everything(tmp_path).keys() == {"a"}


def test_links_and_devices_are_passed_over(tmp_path):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tape:
        for name, kind in (("d/x.json", tarfile.SYMTYPE), ("d/y.json", tarfile.LNKTYPE), ("d/z.json", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tape.addfile(info)
    assert unpack(archive, tmp_path / "data", "f", ("*/*.json",)) == []
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        info = zipfile.ZipInfo("d/x.json")
        info.external_attr = 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    assert unpack(tmp_path / "a.zip", tmp_path / "data", "f", ("*/*.json",)) == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("make", MAKERS[:3])
def test_an_archive_that_gives_far_more_than_it_should_is_stopped(make, tmp_path):
    archive = make(tmp_path / "a", {"d/x.json": b"\0" * 3_000_000})
    with pytest.raises(BadInput, match="unpacks to far more than it should"):
        unpack(archive, tmp_path / "data", "f", ("*/*.json",), ratio=2)
    assert everything(tmp_path / "data") == {}


@pytest.mark.parametrize("make", MAKERS)
def test_two_members_for_one_place_are_refused(make, tmp_path):
    archive = make(tmp_path / "a", {"one/d/x.json": b"1", "two/d/x.json": b"2"})
    with pytest.raises(BadInput, match=r"two members for f/d/x\.json"):
        unpack(archive, tmp_path / "data", "f", ("*/*.json",))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_damaged_archive_is_told_in_one_line(make, cut, tmp_path):
    archive = make(tmp_path / "a", {f"d/{n}.json": bytes(range(256)) * 40 for n in range(20)})
    archive.write_bytes(archive.read_bytes()[:-cut] if cut > 1 else b"no archive at all")
    try:
        unpack(archive, tmp_path / "data", "f", ("*/*.json",))
    except BadInput as told:
        assert str(archive) in str(told) and "\n" not in str(told)
    else:
        assert len(everything(tmp_path / "data")) == 20  # what was cut off was padding


def test_a_member_that_needs_a_password_is_told(tmp_path):
    archive = zipped(tmp_path / "a.zip", {"d/x.json": b"{}"})
    content = bytearray(archive.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.find(signature) + flags] |= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(BadInput, match="encrypted"):
        unpack(archive, tmp_path / "data", "f", ("*/*.json",))
