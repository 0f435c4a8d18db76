"""What the kinds of schedulers answer in the fault runs. Torque's and Slurm's words are those of recorded sessions.

Sources: ../cluster/recorded/torque-6.1.3.txt and slurm-24.11.txt, unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from raycrafter.cluster.batch.reply import Reply
from raycrafter.cluster.batch.slurm import SACCT_FORMAT

_QSTAT_HEADER = (
    f"{'Job id':<19} {'Name':<16} {'Username':<15} Time Use S Queue\n"
    "------------------- ---------------- --------------- -------- - ---------------\n"
)


@dataclass(frozen=True)
class Row:
    """A job as a listing shows it: ``phase`` is one of Q, R and C."""

    native_id: str
    name: str
    phase: str


@dataclass(frozen=True)
class Kind:
    """The answers of one kind of scheduler, as (exit code, text); ``row`` is a format of id, name and state."""

    busy: Sequence[tuple[int, str]]
    doubt: Sequence[tuple[int, str]]
    no_such_job: tuple[int, str]
    refuses_to_delete: tuple[int, str]
    broken: Sequence[tuple[int, str]]
    header: str
    row: str
    states: dict[str, str] = field(default_factory=lambda: {"Q": "Q", "R": "R", "C": "C"})
    empty: tuple[int, str] = (0, "")
    server: str = ".login1"
    name: str = "#PBS -N "

    def listing(self, rows: Sequence[Row]) -> tuple[int, str]:
        """Return a whole listing."""
        lines = [self.row.format(id=row.native_id, name=row.name, state=self.states[row.phase]) for row in rows]
        return (0, self.header + "".join(lines)) if lines else self.empty


# not recorded: web pages and empty answers instead of a listing
_BROKEN = [(0, "<html>"), (1, "")]

TORQUE = Kind(
    busy=[
        (175, "qsub: submit error (Queue is not enabled MSG=queue is disabled: user render@login1, queue off)"),
        (214, "qsub: submit error (Request not allowed: Server shutting down)"),
        (
            111,
            "Unable to communicate with login1(192.0.2.14)\nCannot connect to specified server host 'login1'.\n"
            "qsub: cannot connect to server login1 (errno=111) Connection refused",
        ),
        (
            33,
            "socket_connect_unix failed: 15137\n"
            "qsub: cannot connect to server (null) (errno=15137) could not connect to trqauthd",
        ),
        (
            228,
            "qsub: submit error (Maximum number of jobs already in queue for user MSG=total number of current user's "
            "jobs exceeds the queue limit: user render@login1, queue workq)",
        ),
    ],
    doubt=[(67, "qsub: submit error (This stream has already been closed. End of File.)")],
    no_such_job=(153, "qdel: nonexistent job id: 99999.login1"),
    refuses_to_delete=(224, "qdel: Server could not connect to MOM 209.login1"),
    broken=[
        *_BROKEN,
        (33, "socket_connect_unix failed: 15137\nqstat: Error (15137 - could not connect to trqauthd) "),
        (111, "Unable to communicate with login1(192.0.2.14)\nqstat: Error (111 - Connection refused) "),
    ],
    header="Job ID                    Name             User            Time Use S Queue\n"
    "------------------------- ---------------- --------------- -------- - -----\n",
    row="{id:<26} {name:<16} render          00:00:00 {state} workq          \n",
)
PBSPRO = Kind(  # not recorded but for the listing and "Job has finished": src/include/pbs_error.h
    busy=[(171, "qsub: Invalid credential")],
    doubt=[(162, "qsub: System error")],
    no_such_job=(35, "qdel: Job has finished 2000.pbs"),
    refuses_to_delete=(1, "cannot connect to the server"),
    broken=[*_BROKEN, (153, "qstat: cannot connect"), (35, "?")],
    header="Job id            Name             User              Time Use S Queue\n"
    "----------------  ---------------- ----------------  -------- - -----\n",
    row="{id:<17} {name:<16} render            00:00:00 {state} workq           \n",
    states={"Q": "Q", "R": "R", "C": "F"},
)
SLURM_TORQUE = Kind(  # not recorded but for the listing: sbatch's words below, behind the wrapper
    busy=[(1, "sbatch: error: AssocMaxSubmitJobLimit")],
    doubt=[(1, "sbatch: error: Batch job submission failed: Message receive failure")],
    no_such_job=(1, ""),
    refuses_to_delete=(1, "cannot connect to the server"),
    broken=[*_BROKEN, (0, "slurm_load_jobs error")],
    header=_QSTAT_HEADER,
    row="{id:<19} {name:<16} render          00:00:00 {state} workq          \n",
    empty=(153, ""),
    server="",
)
SLURM = Kind(
    busy=[
        (1, "sbatch: error: Batch job submission failed: Required partition not available (inactive or drain)"),
        (
            1,
            "sbatch: error: slurm_buffers_pack_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error\n"
            "sbatch: error: Batch job submission failed: Protocol authentication error",
        ),
        (1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"),
        (
            1,
            "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates "
            "accounting/QOS policy (job submit limit, user's size and/or time limits)",
        ),
        # what timeout(1) leaves of a submission while the queue is full
        (124, "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"),
    ],
    doubt=[
        (1, "sbatch: error: Batch job submission failed: Connection reset by peer"),
        (1, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"),
    ],
    no_such_job=(0, ""),  # scancel 99999
    refuses_to_delete=(
        8,
        "scancel: error: Kill job error on job id 38: Unable to contact slurm controller (connect failure)",
    ),
    broken=[
        *_BROKEN,
        (1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"),
        (1, "slurm_load_jobs error: Protocol authentication error"),
        (0, "squeue: error: Invalid user: render\n\nJOBID|ST|TIME|PARTITION|USER|NODELIST|NAME\n"),
    ],
    header="JOBID|ST|TIME|PARTITION|USER|NODELIST|NAME\n",
    row="{id}|{state}|0:08|batch|render|login1|{name}\n",
    states={"Q": "PD", "R": "R", "C": "NF"},
    empty=(0, "JOBID|ST|TIME|PARTITION|USER|NODELIST|NAME\n"),
    server="",
    name="#SBATCH --job-name=",
)
KINDS = {"torque": TORQUE, "pbspro": PBSPRO, "slurm_torque": SLURM_TORQUE, "slurm": SLURM}


def full_status(kind: str, row: Row | None) -> Reply:
    """Return the answer about one job, in the words of the program that the service asks."""
    match kind:
        case "torque" if row and row.phase == "C":
            return Reply(
                0,
                f'<?xml version="1.0"?>\n<Data><Job><Job_Id>{row.native_id}</Job_Id><Job_Name>{row.name}</Job_Name>'
                "<Job_Owner>render@login1</Job_Owner><job_state>C</job_state><exit_status>271</exit_status></Job>"
                "</Data>\n",
                "",
            )
        case "slurm":
            header = SACCT_FORMAT.replace(",", "|")
            told = f"{row.native_id}|NODE_FAIL|11|batch|render|login1|0:0|{row.name}\n" if row else ""
            return Reply(0, f"{header}\n{told}", "")
        case "slurm_torque":
            return Reply(153, "", "")
        case "pbspro":
            return Reply(0, "qstat: PBS is not configured to maintain job history 1003.pbs\n", "")
        case _:
            return Reply(153, "qstat: Unknown Job Id Error 99999.login1\n", "")
