"""The wheel that a stranger installs: what is in it, what it says of itself, and that it runs from there."""

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_holds_every_tracked_file_of_the_packages_and_no_other(wheel):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "tasksearch", "search_spaces", "trainables"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("no git checkout: what belongs to the packages cannot be listed")
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted
    assert {"tasksearch/tasks/languages.tsv", "tasksearch/export/examples/text.py"} <= held
    assert any(name.startswith("tasksearch/reports/templates/") for name in held)


def test_the_metadata_names_licence_authors_and_versions_of_python(wheel, metadata):
    assert (metadata["Name"], metadata["Version"]) == ("tasksearch", PROJECT["version"])
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"] == "The tasksearch authors"
    assert metadata["Requires-Python"] == ">=3.11"
    pythons = [
        c.rpartition(" ")[2] for c in metadata.get_all("Classifier") if c.startswith("Programming Language :: Python :: 3.")
    ]
    assert pythons == ["3.11", "3.12", "3.13"]
    assert metadata.get_all("Project-URL") is None, "no address is known that exists"
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
        licence = archive.read(name).decode()
    assert "Apache License" in licence and "Version 2.0, January 2004" in licence and "END OF TERMS AND CONDITIONS" in licence


def test_the_wheel_runs_where_nothing_of_the_checkout_is_to_be_seen(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import tasksearch; from tasksearch.cli import main\n"
        "assert tasksearch.__file__.startswith(sys.path[0]), tasksearch.__file__\n"
        "sys.argv = ['tasksearch', 'languages', '--group', 'low', '--json']; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"am"' in done.stdout


def test_the_citation_and_the_changelog_name_this_version_and_no_address_that_is_not_there():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["cff-version"], cited["authors"]) == ("1.2.0", [{"name": "The tasksearch authors"}])
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
    assert not {"url", "repository-code", "repository", "doi"} & cited.keys()
    headings = re.findall(r"(?m)^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert headings[:2] == ["Unreleased", f"{cited['version']} ({cited['date-released']})"]
