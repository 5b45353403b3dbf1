"""Where a study's MLflow runs lie: the study keeps the address without its secrets, and the environment gives them."""

from __future__ import annotations

import os

from tasksearch.core.study import StudyConfig
from tasksearch.tracking.address import kept

VARIABLE = "MLFLOW_TRACKING_URI"


def keep_address(uri: str | None) -> str | None:
    """The address as the study keeps it; what it holds of secrets goes into this process's environment, and nowhere else.

    Raises:
        BadInput: it cannot be read.
    """
    if uri is None:
        return None
    address = kept(uri)
    if address != uri:
        os.environ[VARIABLE] = uri
    return address


def tracking_address(config: StudyConfig) -> str | None:
    """The study's address, with the secrets where the environment has it with them; None: in the study's folder.

    Raises:
        BadInput: an address that cannot be read.
    """
    uri, offered = config.tracking_uri, os.environ.get(VARIABLE)
    if uri is None or not offered:
        return uri
    return offered if kept(offered) == kept(uri) else uri
