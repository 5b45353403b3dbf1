"""The job script of docs/slurm.md with fake `srun`, `scontrol`, `ray` and `tasksearch`: processes stand for nodes."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "slurm_job.sh"
FAKES = {
    "scontrol": 'if [ "$1" = show ]; then printf "n1\\nn2\\nn3\\n"; else echo "scontrol $*" >> calls; fi',
    "srun": """
while [ "${1#--}" != "$1" ]; do case $1 in --nodelist=*) node=${1#*=};; esac; shift; done
echo "$node: $*" >> calls
exec "$@"
""",
    "ray": 'echo $$ >> nodes; trap "echo ended >> calls; exit 0" TERM; while :; do sleep 0.05; done',
    "python": 'cat > /dev/null; echo "waits for $3 nodes at $2" >> calls; [ ! -e no_cluster ]',
    "tasksearch": """
echo "tasksearch $*" >> calls
mkdir -p study; touch study/study.json
[ -e deaf ] || trap 'echo "got USR1" >> calls; exit 75' USR1
echo $$ > driver
for _ in $(seq 100); do [ -e code ] && exit "$(cat code)"; sleep 0.05; done
exit 1
""",
}


@pytest.fixture
def job(tmp_path):
    """Starts the script as Slurm would, in a folder of its own."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    for name, text in FAKES.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    slurm = {"SLURM_JOB_ID": "41", "SLURM_JOB_NODELIST": "n[1-3]"}

    def start(*arguments, **more):
        environment = {**os.environ, **slurm, **more, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
        with (tmp_path / "out").open("ab") as out:
            return subprocess.Popen(["bash", str(SCRIPT), *arguments], cwd=tmp_path, env=environment, stdout=out, stderr=out)

    return start


def calls(folder):
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(path):
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def test_ray_is_started_on_every_node_and_awaited_before_the_driver(job, tmp_path):
    (tmp_path / "code").write_text("0")
    done = job("study", "--space", "ladder")
    assert done.wait(60) == 0, (tmp_path / "out").read_text()
    told = calls(tmp_path)
    head = [line for line in told if line.startswith("n1: ray start --head --port=20041")]
    others = sorted(line for line in told if "ray start --address=n1:20041" in line)
    assert len(head) == 1 and [line[:2] for line in others] == ["n2", "n3"]
    ran = "tasksearch run --out study --address n1:20041 --gpus-per-trial 1 --space ladder"
    assert told.index("waits for 3 nodes at n1:20041") < told.index(ran)
    assert not any(line.startswith("scontrol") for line in told)


def test_a_warning_before_the_limit_reaches_the_driver_and_the_job_requeues_itself(job, tmp_path):
    done = job("study")
    wait_for(tmp_path / "driver")
    done.send_signal(signal.SIGUSR1)
    assert done.wait(60) == 75
    assert calls(tmp_path).count("got USR1") == 1 and "scontrol requeue 41" in calls(tmp_path)
    for line in (tmp_path / "nodes").read_text().split():
        assert not Path(f"/proc/{line}").exists(), "a node's process outlived the job"

    (tmp_path / "code").write_text("0")
    again = job("study", SLURM_RESTART_COUNT="1")
    assert again.wait(60) == 0
    assert "tasksearch resume study --address n1:20041 --gpus-per-trial 1" in calls(tmp_path)


def test_a_driver_that_the_warning_meets_while_it_starts_is_taken_up_again_too(job, tmp_path):
    (tmp_path / "deaf").write_text("")
    done = job("study")
    wait_for(tmp_path / "driver")
    done.send_signal(signal.SIGUSR1)
    assert done.wait(60) == 75 and "scontrol requeue 41" in calls(tmp_path)


@pytest.mark.parametrize(("code", "restarts"), [("2", "0"), ("75", "100")])
def test_a_failure_or_the_hundredth_restart_stays_out_of_the_queue(job, tmp_path, code, restarts):
    (tmp_path / "code").write_text(code)
    done = job("study", SLURM_RESTART_COUNT=restarts)
    assert done.wait(60) == int(code)
    assert not any(line.startswith("scontrol") for line in calls(tmp_path))


def test_without_a_cluster_no_driver_is_started(job, tmp_path):
    (tmp_path / "no_cluster").write_text("")
    done = job("study")
    assert done.wait(60) == 1
    assert not any(line.startswith("tasksearch") for line in calls(tmp_path))
