"""Trained models in MLflow's model registry: the exported folder as it is, which transformers loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.tracking.address import check_answers
from tasksearch.tracking.client import open_client, searchable, translated
from tasksearch.tracking.database import file_of, make_empty
from tasksearch.tracking.study_home import study_home

ARTEFACT = "model"
"""Name of the folder among the files of the run that a version comes from."""


def check_registry(uri: str, name: str) -> None:
    """Check before anything is trained that a model can be registered.

    Raises:
        BadInput: MLflow takes no such name, or no such address.
        Unreachable: the address does not answer.
    """
    if not name.strip() or set(name) & set("/:."):
        raise BadInput(f"--register {name!r}; expected a name without '/', ':' and '.', such as nli-sw")
    check_answers(uri)


def register_model(
    uri: str, name: str, folder: Path, *, experiment: str, study_id: str, artefacts: Path, tags: Mapping[str, str]
) -> str:
    """Keep the folder with a run of its own beside the study's, and register it; return its address, `models:/NAME/VERSION`.

    Args:
        experiment: of the study; made if it is not there.
        study_id: whose experiment is looked for, whatever it is called now.
        artefacts: folder for files where no server keeps them.
        tags: of run and version.

    Raises:
        Unreachable, Refused, DiskFull: from MLflow.
    """
    with translated(uri):
        if (file := file_of(uri)) is not None and not file.exists():
            make_empty(file)
        client = open_client(uri)
        found = study_home(client, experiment, searchable(study_id)).experiment
        place = None if uri.startswith(("http://", "https://", "databricks")) else artefacts.absolute().as_uri()
        home = str(found.experiment_id) if found is not None else client.create_experiment(experiment, place)
        run = client.create_run(home, run_name=f"model {name}", tags={"tasksearch.model": name, **tags})
        client.log_artifacts(run.info.run_id, str(folder), ARTEFACT)
        client.set_terminated(run.info.run_id, "FINISHED")
        if not client.search_registered_models(filter_string=f"name = '{searchable(name)}'"):
            client.create_registered_model(name)
        source = f"{run.info.artifact_uri}/{ARTEFACT}"
        version = client.create_model_version(name, source, run.info.run_id, tags=dict(tags))
        return f"models:/{name}/{version.version}"
