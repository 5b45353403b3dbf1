import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Calls the browser without a window: `chromium(url, *flags)` gives what it prints."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine; .ci/run installs it")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]

    def call(url, *flags):
        profile = tmp_path_factory.mktemp("profile")
        own = [f"--user-data-dir={profile}", "--disable-sync", "--hide-scrollbars", *quiet]
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", *own, *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout

    return call
