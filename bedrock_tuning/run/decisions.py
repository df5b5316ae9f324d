"""The answers of functions that decide how a run goes on.

A module of its own: handlers and contracts share them.
"""

from typing import Literal

# admit: only "run" starts one.
AdmissionDecision = Literal["run", "waiting", "duplicate", "superseded", "closed", "ignored"]
# start_job: "start" and "approve" lead to a job.
StartDecision = Literal[
    "start", "approve", "already-trained", "in-progress", "superseded", "outdated"
]
# verify_images: only "same" leads to a job.
ImagesDecision = Literal["same", "outdated", "trained-on"]
# take_turn: "train" starts the job, "wait" asks again; the others end the run.
TurnDecision = Literal["train", "wait", "superseded", "in-progress", "no-slot"]
# serve: the first six say what the workflow does next, the others end the run.
ServingStep = Literal[
    "wait",
    "approve",
    "smoke",
    "publish",
    "roll-back",
    "roll-back-wait",
    "served",
    "unserved",
    "removed",
    "pending",
    "failed",
]
