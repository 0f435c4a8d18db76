"""Answers outside the recorded sessions: other values, in recorded or documented forms."""

from __future__ import annotations

# not recorded: several nodes, resources, and a killed job in one; form: recorded/torque-6.1.3.txt, `qstat -x 6`.
TORQUE_XML = (
    '<?xml version="1.0"?>\n'
    "<Data><Job><Job_Id>12345.sdb</Job_Id><Job_Name>rcselftest</Job_Name><Job_Owner>ray@eslogin1</Job_Owner>"
    "<resources_used><cput>00:01:01</cput><mem>1kb</mem><walltime>25:00:01</walltime></resources_used>"
    "<job_state>C</job_state><queue>multi</queue><server>sdb</server><exec_host>nid1/0+nid1/1+nid2/0</exec_host>"
    "<Resource_List><nodes>2:ppn=24</nodes><walltime>30:00:00</walltime></Resource_List>"
    "<Variable_List>PBS_O_HOME=/home/ray,A=&lt;b&gt;\x08\x0b\x1b[0m</Variable_List>"
    "<exit_status>271</exit_status></Job></Data>\n"
)

# not recorded: an environment with a shell function; form: recorded/torque-6.1.3.txt, `qstat -f 4`.
TORQUE_FOLDED = """\
Job Id: 12345.sdb
    Job_Name = rcselftest
    Job_Owner = ray@eslogin1
    resources_used.walltime = 00:01:01
    job_state = C
    queue = multi
    exec_host = nid1/0+nid1/1+ni
\td2/0
    Variable_List = PBS_O_HOME=/home/ray,BASH_FUNC_module()=() {  eval `/opt/modu
\tlecmd bash $*`
}
    exit_status = 3

"""

# not recorded: ranges of nodes, an array of ten, an unlisted state, the reason beside the name; form:
# recorded/slurm-24.11.txt, `squeue -t all -o '%i|%t|%M|%P|%u|%N|%j'` and `squeue -o '%i|%t|%j|%r'`.
SQUEUE = """\
JOBID|ST|TIME|PARTITION|USER|NODELIST|REASON|NAME
71|R|1-02:03:04|workq|ray|nid[001-003,7],gpu1|None|rcselftest
72_[0-9]|PD|0:00|workq|ray||Priority|rcarray
73|CD|0:05|workq|ray|nid001|None|rc|done
74|F|0:05|workq|ray|nid001|NonZeroExitCode|rcfailed
75|SPECIAL|0:05|workq|ray|nid001|None|rcodd
"""

# not recorded: OUT_OF_MEMORY, ranges of nodes; form: recorded/slurm-24.11.txt, the same command.
# sacct -X -P -o JobIDRaw,State,ElapsedRaw,Partition,User,NodeList,ExitCode,JobName
SACCT = """\
JobIDRaw|State|ElapsedRaw|Partition|User|NodeList|ExitCode|JobName
71|COMPLETED|93784|workq|ray|nid[001-003,7],gpu1|0:0|rcselftest
72|FAILED|5|workq|ray|nid001|3:0|rc|failed
73|TIMEOUT|600|workq|ray|nid001|0:0|rctimeout
74|CANCELLED by 1000|0|workq|ray|None assigned|0:0|rccancelled
75|OUT_OF_MEMORY|5|workq|ray|nid001|0:125|rcmemory
76|FAILED|5|workq|ray|nid001|0:9|rckilled
77|RUNNING|5|workq|ray|nid001|0:0|rcrunning
78|PENDING|0|workq|ray|None assigned|0:0|rcwaiting
"""


def torque_row(native_id: str, name: str, user: str, used: str, state: str, queue: str = "multi") -> str:
    """Return a row of Torque's plain qstat, as recorded/torque-6.1.3.txt has it.

    Source: display_statjob of src/cmds/qstat.c, one format from 2.5 to 6.1."""
    return f"{native_id:<26} {name:<16} {user:<15} {used:>8} {state} {queue:<15}\n"


TORQUE_HEADER = """\
Job ID                    Name             User            Time Use S Queue
------------------------- ---------------- --------------- -------- - -----
"""

# not recorded: an id wider than its column, a job without a time; form: recorded/torque-6.1.3.txt, `qstat`.
TORQUE_LISTING = TORQUE_HEADER + "".join(
    [
        torque_row("12345.sdb", "rcaaaaaaaaaaaaa", "ray", "00:10:00", "R"),
        torque_row("12346.sdb", "rcbbbbbbbbbbbbb", "ray", "0", "Q"),
        torque_row("12347[].sdb", "rcccccccccccccc", "averylonguserna", "-", "E"),
        torque_row("12348.sdb", "rcddddddddddddd", "ray", "00:10:00", "C"),
        torque_row("1234567.hornet-batch.hww.hlr", "rceeeeeeeeeeeee", "ray", "00:00:00", "Q"),
    ]
)
