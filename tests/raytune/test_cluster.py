"""Ray starts as a cluster of its own, and its end never ends the process."""

import os
import subprocess
import sys

from tasksearch.raytune import cluster as module

# References in cycles, freed by a thread that collects garbage for as long as Ray is being shut down: what a busy tracker does.
GARBAGE = """
import gc, threading, ray
from tasksearch.raytune.cluster import cluster

class Ring:
    def __init__(self, reference):
        self.reference, self.me = reference, self

def litter(stop, references):
    while not stop.is_set():
        for _ in range(20):
            if references:
                Ring(references.pop())
        if gc.isenabled():
            gc.collect(0)
        stop.wait(0.0005)

stop = threading.Event()
with cluster(None, 1, {"cpu": 1.0}) as slots:
    thread = threading.Thread(target=litter, args=(stop, [ray.put(i) for i in range(30000)]))
    thread.start()
stop.set()
thread.join()
assert gc.isenabled()
print("went on with", slots)
"""


def test_garbage_collected_while_ray_shuts_down_does_not_end_the_process_nor_is_ray_address_heeded():
    environment = os.environ | {"RAY_ADDRESS": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", GARBAGE], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "went on with 1"), done.stderr


def test_a_kill_by_rays_memory_monitor_is_a_lost_worker_and_not_the_end_of_the_run(monkeypatch):
    import ray.air.execution._internal.actor_manager as manager
    from ray.exceptions import ActorDiedError, OutOfMemoryError

    seen = []

    class Manager:
        def _actor_task_failed(self, tracked_actor_task, exception):
            seen.append((tracked_actor_task, exception))

    monkeypatch.setattr(manager, "RayActorManager", Manager)
    for _ in range(2):  # patched once, however often it is asked for
        module.survive_memory_kills()
    other = ValueError("another error")
    for error in (OutOfMemoryError("task was killed due to the node running low on memory"), other):
        Manager()._actor_task_failed(tracked_actor_task="task", exception=error)
    (task, killed), (_, passed_on) = seen
    assert task == "task" and isinstance(killed, ActorDiedError) and "killed by Ray's memory monitor" in killed.error_msg
    assert passed_on is other


def test_ray_still_has_what_is_replaced_or_set():
    import inspect

    from ray._private import node, ray_constants, services, worker
    from ray.air.execution._internal.actor_manager import RayActorManager
    from ray.job_config import JobConfig

    assert callable(RayActorManager._actor_task_failed)
    assert "_py_driver_sys_path" in inspect.signature(JobConfig).parameters
    assert (
        "_runtime_env_has_working_dir" in inspect.getsource(worker.connect) and not JobConfig()._runtime_env_has_working_dir()
    )
    assert "services.get_node(" in inspect.getsource(node.Node.__init__) and callable(services.get_node)
    assert "ENABLE_RAY_CLUSTER" in inspect.getsource(services.get_node_ip_address) and ray_constants.ENABLE_RAY_CLUSTER
    for variable in ("RAY_gcs_server_port_wait_time_s",):
        assert variable in inspect.getsource(node)
