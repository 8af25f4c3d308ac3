"""A sweep on a cluster: scripts for SLURM and Kubernetes, as templates. Each of their tasks is a worker on the shared
folder like any other computer, so that one that is killed, or runs into its limit of time, loses nothing.
"""

import json
import shlex
from pathlib import Path

from workshop import ROOT
from workshop.errors import UserError

KINDS = ("slurm", "kubernetes")

_SLURM = """\
#!/bin/bash
# Made by `{made_by}`.
# Change what your cluster wants: the partition, the limits, and how Python is found. Then: sbatch FILE
# Submitted again, it goes on. Check it on a node first with --smoke behind the plan.
#SBATCH --job-name={name}
#SBATCH --array=1-{computers}
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@120
#SBATCH --output={name}-%A_%a.txt
set -euo pipefail
cd {root}
# Becomes the worker, so that it gets the signal two minutes before the limit: it saves and ends.
exec srun .venv/bin/python -m workshop.sweep {plan} --folder {folder} --leave
"""

_KUBERNETES = """\
# Made by `{made_by}`.
# An Indexed Job of {computers} workers on one shared volume. Change IMAGE (the workshop's image in a registry that your
# cluster reaches) and CLAIM (a PersistentVolumeClaim that many nodes can write, ReadWriteMany, with the plan in it).
# Then: kubectl apply -f FILE. Applied again after it was deleted, it goes on.
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {computers}
  parallelism: {computers}
  backoffLimitPerIndex: 6
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 120
      containers:
        - name: worker
          image: IMAGE
          command: ["python", "-m", "workshop.sweep", {plan}, "--folder", {folder}, "--leave"]
          resources:
            requests: {{cpu: "1", memory: 1Gi}}
            limits: {{cpu: "2", memory: 4Gi}}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: shared, mountPath: /shared}}
      volumes:
        - name: shared
          persistentVolumeClaim: {{claimName: CLAIM}}
"""


def script(kind: str, plan: Path, folder: Path, computers: int) -> str:
    """The script, to be looked through and changed.

    Args:
        kind: one of `KINDS`.
        plan: its file.
        folder: the shared folder.
        computers: that work at the same time.

    Raises:
        UserError: a path cannot stand in such a script.
    """
    if any(not str(path).isprintable() for path in (plan, folder)):
        raise UserError(
            f"--write: {str(plan)!r:.100} cannot stand in a script: give the plan and its folder plain names"
        )
    name = "sweep-" + ("".join(c for c in plan.stem.lower() if c.isascii() and c.isalnum())[:40] or "plan")
    made_by = f"python -m workshop.sweep {shlex.quote(str(plan))} --write {kind}"
    words = {"name": name, "computers": computers, "made_by": made_by}
    if kind == "slurm":
        paths = {"plan": plan.resolve(), "folder": folder.resolve(), "root": ROOT}
        return _SLURM.format(**words, **{key: shlex.quote(str(path)) for key, path in paths.items()})
    # In the volume everything lies side by side. JSON's texts are YAML's.
    inside = {"plan": _in_volume(plan), "folder": _in_volume(folder)}
    return _KUBERNETES.format(**words, **inside)


def _in_volume(path: Path) -> str:
    return json.dumps(f"/shared/{path.resolve().name}")
