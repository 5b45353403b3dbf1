"""Address of a study's MLflow runs: the study stores it without its secrets, which the environment provides."""

from __future__ import annotations

import os

from tasksearch.core.study import StudyConfig
from tasksearch.tracking.address import kept

VARIABLE = "MLFLOW_TRACKING_URI"


def keep_address(uri: str | None) -> str | None:
    """Return the address as the study stores it; put its secrets into this process's environment, and nowhere else.

    Raises:
        BadInput: the address cannot be read.
    """
    if uri is None:
        return None
    address = kept(uri)
    if address != uri:
        os.environ[VARIABLE] = uri
    return address


def tracking_address(config: StudyConfig) -> str | None:
    """Return the study's address, with secrets if the environment has them; None: in the study's folder.

    Raises:
        BadInput: an address that cannot be read.
    """
    uri, offered = config.tracking_uri, os.environ.get(VARIABLE)
    if uri is None or not offered:
        return uri
    return offered if kept(offered) == kept(uri) else uri
