#!/bin/bash
#SBATCH --job-name=tasksearch
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=tasksearch-%j.txt
# sbatch docs/slurm_job.sh STUDY [options of `tasksearch run`]
# STUDY is a folder that all nodes share. Ten minutes before the limit Slurm sends SIGUSR1 to this script, which hands it to the
# driver; the driver stops in good order with exit code 75, and the job puts itself back into the queue. There it resumes.
set -u
# Ray's sockets allow a path of 107 bytes, more than the TMPDIR of many batch systems leaves
export RAY_TMPDIR=${RAY_TMPDIR:-/tmp}
# where there is a token the head guards its ports by it, and nothing else would use it
if [ -z "${RAY_AUTH_MODE:-}" ] && [ -e "$HOME/.ray/auth_token" ]; then export RAY_AUTH_MODE=token; fi
study=$1
shift
most_restarts=${MOST_RESTARTS:-100}

mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts[0]}
port=$((20000 + SLURM_JOB_ID % 20000))
address=$head:$port
driver=
warned=
nodes=()

on_node() { # HOST COMMAND…: a Ray process on one node, for as long as the job lasts
  srun --nodes=1 --ntasks=1 --overlap --nodelist="$1" "${@:2}" &
  nodes+=($!)
}

forward() {
  warned=yes
  [ -z "$driver" ] || kill -USR1 "$driver" 2>/dev/null
}
trap forward USR1

end_nodes() {
  kill "${nodes[@]}" 2>/dev/null
  wait "${nodes[@]}" 2>/dev/null
}
trap end_nodes EXIT

on_node "$head" ray start --head --port="$port" --disable-usage-stats --include-dashboard=false --block
for host in "${hosts[@]:1}"; do
  on_node "$host" ray start --address="$address" --disable-usage-stats --block
done

# the driver counts the slots when it starts: all nodes must be there before it
python - "$address" "${#hosts[@]}" <<'PYTHON' || exit 1
import sys, time
import ray
address, wanted, last = sys.argv[1], int(sys.argv[2]), None
for _ in range(60):
    try:
        ray.init(address=address, log_to_driver=False, logging_level=50)
        if sum(node["Alive"] for node in ray.nodes()) >= wanted:
            sys.exit(0)
        last = f"{len(ray.nodes())} of {wanted} nodes"
        ray.shutdown()
    except (ConnectionError, RuntimeError, ValueError) as error:
        last = error
    time.sleep(5)
sys.exit(f"Ray did not come up at {address} within minutes: {last}")
PYTHON

again() { # CODE: back into the queue, if the job was not there too often
  if [ "${SLURM_RESTART_COUNT:-0}" -lt "$most_restarts" ]; then
    echo "paused; back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
  fi
  exit "$1"
}
[ -z "$warned" ] || again 75 # the limit is near before anything began

if [ -e "$study/study.json" ]; then
  tasksearch resume "$study" --address "$address" --gpus-per-trial 1 &
else
  tasksearch run --out "$study" --address "$address" --gpus-per-trial 1 "$@" &
fi
driver=$!
while kill -0 "$driver" 2>/dev/null; do # a signal ends a wait, not the driver
  wait "$driver"
  code=$?
done
driver=

[ "$code" != 75 ] || again 75
# 138: the warning came while the driver was still starting; nothing is lost then either
[ -z "$warned" ] || [ "$code" != 138 ] || again 75
exit "$code"
