"""Answers of systems of which no session was recorded, in the form that their sources and manuals give."""

from __future__ import annotations

# Torque 6, src/cmds/qstat.c: one line after the declaration, control characters as they are.
TORQUE_XML = (
    '<?xml version="1.0"?>\n'
    "<Data><Job><Job_Id>12345.sdb</Job_Id><Job_Name>rcselftest</Job_Name><Job_Owner>ray@eslogin1</Job_Owner>"
    "<resources_used><cput>00:01:01</cput><mem>1kb</mem><walltime>25:00:01</walltime></resources_used>"
    "<job_state>C</job_state><queue>multi</queue><server>sdb</server><exec_host>nid1/0+nid1/1+nid2/0</exec_host>"
    "<Resource_List><nodes>2:ppn=24</nodes><walltime>30:00:00</walltime></Resource_List>"
    "<Variable_List>PBS_O_HOME=/home/ray,A=&lt;b&gt;\x08\x0b\x1b[0m</Variable_List>"
    "<exit_status>271</exit_status></Job></Data>\n"
)

# Torque's qstat -f: continued after a tab; an environment with newlines.
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

SQUEUE = """\
JOBID|ST|TIME|PARTITION|USER|NODELIST|NAME
71|R|1-02:03:04|workq|ray|nid[001-003,7],gpu1|rcselftest
72_[0-9]|PD|0:00|workq|ray||rcarray
73|CD|0:05|workq|ray|nid001|rc|done
74|F|0:05|workq|ray|nid001|rcfailed
75|SPECIAL|0:05|workq|ray|nid001|rcodd
"""

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

# The header is fixed; an id may be 28 characters wide in a column of 25.
TORQUE_LISTING = """\
Job ID                    Name             User            Time Use S Queue
------------------------- ---------------- --------------- -------- - -----
12345.sdb                 rcaaaaaaaaaaaaa  ray             00:10:00 R multi
12346.sdb                 rcbbbbbbbbbbbbb  ray                    0 Q multi
12347[].sdb               rcccccccccccccc  averylonguserna        - E multi
12348.sdb                 rcddddddddddddd  ray             00:10:00 C multi
1234567.hornet-batch.hww.hlr rceeeeeeeeeeeee  ray             00:00:00 Q multi
"""
