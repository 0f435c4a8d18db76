#!/usr/bin/env python3
"""Stand in for qsub, qstat and qdel of Torque 6.1.3, for the lab and tests only.

The three commands are links to this program. Texts, output streams and exit codes are those of a recorded session
with a real Torque 6.1.3 (raycrafter/tests/cluster/recorded/torque-6.1.3.txt), except where a comment says "not
recorded". The state is in $LAB_TORQUE, by default ~/.lab-torque:

    next             number of the next job
    jobs/N.json      a job; jobs/N.SC is its script, jobs/N.OU and jobs/N.ER its output until it ends
    switches/NAME    a fault, which lasts while the file exists:
        trqauthd-stopped       every command: exit 33
        server-stopped         every command: exit 111
        server-shutting-down   qsub: exit 214
        answer-lost            qsub: exit 67, but the job is queued
        queue-disabled         qsub: exit 175 (qdisable)
        queue-full             qsub: exit 200
        queue-stopped          jobs are queued and do not start (qstop)
        mom-late               no job ends at its walltime: a real mom looks every 45 s

Each job has a process in the role of pbs_mom. The process waits for free cores, starts the user's login shell as the
leader of a session and passes the script's name to the shell, like pbs_mom without $exec_with_exec. When the job is
deleted, every process of the session gets TERM. The login shell ends at once; 3 to 70 ms later the other processes get
KILL, so that the script rarely has time for an exit file. A process that has left the session survives.
"""

import contextlib
import fcntl
import getpass
import grp
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

HOME = Path(os.environ.get("LAB_TORQUE", Path.home() / ".lab-torque"))
SERVER = os.environ.get("LAB_TORQUE_SERVER", socket.gethostname())
USER = getpass.getuser()
CORES = 2
KEEP_COMPLETED = 300  # seconds until an ended job leaves the listing
KILL_AFTER = (0.003, 0.070)  # seconds from the leader's end to KILL for the rest, as measured
DELETED, OVER_WALLTIME = 271, -11  # exit_status of a job that was killed
POLL_SECONDS = 0.1  # between two checks of the queue and of the walltime

# The queues of the recorded server: `enabled`, `max_walltime` in seconds, and `users` with access.
QUEUES = {"workq": {}, "off": {"enabled": False}, "restricted": {"users": ["jose"]}, "shortq": {"max_walltime": 600}}
RESOURCES = {"nodes", "walltime", "cput", "mem", "vmem", "pmem", "ncpus", "feature", "mppwidth", "mppnppn", "mppdepth"}
# Options with a value and without a value; the stand-in supports the options in HANDLED.
WITH_VALUE, WITHOUT_VALUE = "aAbcCdDejkKlLmMNoOpPqrStTuvW", "EfFhInVwxXz"
HANDLED = set("AhjlmMNoPqrSvVW")
USAGE = """
usage: qsub [-a date_time] [-A account_string] [-b secs]
    [-c [ none | { enabled | periodic | shutdown |
    depth=<int> | dir=<path> | interval=<minutes>}... ]
    [-C directive_prefix] [-d path] [-D path]
    [-e path] [-h] [-I] [-j oe|eo|n] [-k {oe}] [-K <kill delay seconds>]\x20
    [-l resource_list] [-m n|{abe}] [-M user_list] [-N jobname] [-o path]\x20
    [-p priority] [-P proxy_user [-J <jobid]] [-q queue] [-r y|n]\x20
    [-S path] [-t number_to_submit] [-T type]  [-u user_list] [-w] path
    [-W additional_attributes] [-v variable_list] [-V ] [-x] [-X] [-z] [script]

"""


def end(code, *lines):
    """Print lines on stderr and exit."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    raise SystemExit(code)


def unsupported(request):
    """Refuse an unsupported request with an exit code and a text that Torque lacks."""
    end(99, f"lab stand-in of Torque: {request} is not supported")


# -- state -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked():
    """Lock the state for one process, and remove jobs that ended long ago."""
    (HOME / "jobs").mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for job in jobs():
            if job["job_state"] == "C" and time.time() - job["comp_time"] > KEEP_COMPLETED:
                for path in (HOME / "jobs").glob(f"{job['number']}.*"):
                    path.unlink()
        yield


def jobs():
    """Return all jobs, by number."""
    found = (json.loads(path.read_text()) for path in (HOME / "jobs").glob("*.json"))
    return sorted(found, key=lambda job: job["number"])


def load(number):
    """Return a job, or None if the job is unknown."""
    path = HOME / "jobs" / f"{number}.json"
    return json.loads(path.read_text()) if path.exists() else None


def save(job, **changes):
    """Write a job atomically."""
    job.update(changes, mtime=int(time.time()))
    path = HOME / "jobs" / f"{job['number']}.new"
    path.write_text(json.dumps(job))
    path.replace(path.with_suffix(".json"))


def is_on(name):
    """Return whether a switch is set."""
    return (HOME / "switches" / name).exists()


def find(job_id):
    """Return the job with an id (with or without the server), or None if unknown."""
    match = re.fullmatch(r"([0-9]+)(\..*)?", job_id)
    return load(match[1]) if match and match[2] in (None, f".{SERVER}") else None


# -- unreachable server or authentication daemon -----------------------------------------------------------------------


def connect(program):
    """End the command if a switch makes the server unreachable; qstat tries three times."""
    tries = 3 if program == "qstat" else 1
    if is_on("trqauthd-stopped"):
        code, error, text = 33, 15137, "could not connect to trqauthd"
        attempt, name = ["socket_connect_unix failed: 15137"], "(null)"
    elif is_on("server-stopped"):
        code, error, text = 111, 111, "Connection refused"
        attempt = ["", f"Unable to communicate with {SERVER}({address()})"]
        attempt, name = [*attempt, f"Cannot connect to specified server host '{SERVER}'."], SERVER
    else:
        return
    last = [f"qstat: Error ({error} - {text}) "] if program == "qstat" else []
    end(code, *attempt * tries, f"{program}: cannot connect to server {name} (errno={error}) {text}", *last)


def address():
    """Return the server's address, or a documentation address if its name has none."""
    try:
        return socket.gethostbyname(SERVER)
    except OSError:
        return "192.0.2.14"


# -- qsub --------------------------------------------------------------------------------------------------------------


def usage(problem):
    """Refuse invalid options."""
    sys.stderr.write(f"{problem}\n{USAGE}")
    raise SystemExit(2)


def options(words):
    """Split an argument list into pairs of option and value, and the rest."""
    found, words = [], list(words)
    while words and re.match(r"-.", words[0]):
        word = words.pop(0)[1:]
        while word:
            letter, word = word[0], word[1:]
            if letter in WITHOUT_VALUE:
                found.append((letter, ""))
            elif letter not in WITH_VALUE:
                # not recorded: an unknown option; form: getopt(3) and the line that Torque adds to a missing value
                usage(f"qsub: invalid option -- '{letter}'\n[exiting]")
            elif not word and not words:
                usage(f"qsub: option requires an argument -- '{letter}'\n[exiting]")
            else:
                found.append((letter, word or words.pop(0)))
                word = ""
    for letter, _ in found:
        if letter not in HANDLED:
            unsupported(f"qsub -{letter}")
    return found, words


def directives(script):
    """Return the arguments in a script's #PBS lines before its first command."""
    words = []
    for line in script.splitlines():
        if line.startswith("#PBS "):
            words += line[5:].split()
        elif line.strip() and not line.startswith(("#", ":")):
            break
    return words


def qsub(words):
    """qsub [options] script"""
    given, rest = options(words)
    if not rest:
        unsupported("qsub without a script")
    try:
        script = Path(rest[0]).read_text()
    except OSError as error:
        end(1, f"qsub: script file '{rest[0]}' cannot be loaded - {error.strerror}")
    asked = {"N": Path(rest[0]).name, "q": "workq"}
    resources = {}
    for letter, value in [*options(directives(script))[0], *given]:  # the command line has the last word
        if letter == "N" and not re.fullmatch(r"[!-~]+", value):
            usage("[qsub: illegal -N value]")
        if letter == "r" and value not in ("y", "n"):
            usage("[qsub: illegal -r value (y/n)]")
        if letter == "l":
            resources.update(part.partition("=")[::2] for part in value.split(","))
        asked[letter] = value
    if "nodes" in resources and "mppwidth" in resources:
        end(4, "qsub: Specifying -l nodes is incompatible with specifying -l mppwidth")
    queue, _, server = asked["q"].partition("@")
    if server not in ("", SERVER):
        text = f"qsub: cannot connect to server {server} (errno=15010) Access from host not allowed, or unknown host"
        known = f"Can not resolve name for server {server}. (rc = -1 - )"
        end(162, known, f"Cannot resolve specified server host '{server}'.", text)
    connect("qsub")
    with locked():
        job = accept(asked, queue, resources, words)
        shutil.copyfile(rest[0], HOME / "jobs" / f"{job['number']}.SC")
        (HOME / "jobs" / f"{job['number']}.SC").chmod(0o700)
        save(job)
    if job["job_state"] == "Q":
        mom = [sys.executable, str(Path(__file__).with_name("torque.py")), "mom", str(job["number"])]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.Popen(mom, cwd="/", start_new_session=True, **quiet)
    if is_on("answer-lost"):
        end(67, "qsub: submit error (This stream has already been closed. End of File.)")
    print(f"{job['number']}.{SERVER}")


def refuse(code, text):
    """Refuse a submission with a code and a text of the server."""
    end(code, f"qsub: submit error ({text})")


def accept(asked, queue, resources, words):
    """Return a new job, or refuse it. A refused job uses up a number too."""
    if is_on("server-shutting-down"):
        refuse(214, "Request not allowed: Server shutting down")
    counter = HOME / "next"
    number = int(counter.read_text()) if counter.exists() else 1
    counter.write_text(str(number + 1))
    where = f"user {USER}@{SERVER}, queue {queue}"
    if queue not in QUEUES:
        refuse(172, "Unknown queue MSG=requested queue not found")
    rules = QUEUES[queue]
    for name, value in resources.items():
        if name not in RESOURCES:
            refuse(189, f"Unknown resource type  Resource_List.{name}")
        if name == "walltime" and seconds(value) is None:
            refuse(168, "Illegal attribute or resource value for Resource_List.walltime")
    if asked.get("P", USER) != USER:
        text = f"User '{USER}' is attempting to submit a proxy job for user '{asked['P']}' but is not a manager"
        refuse(177, f"Bad UID for job execution MSG={text}")
    if "depend" in asked.get("W", ""):
        for one in re.findall(r"[0-9][^:,]*", asked["W"]):
            if not find(one):
                refuse(208, "Invalid Job Dependency")
        unsupported("a job that waits for another")
    elif "W" in asked:
        unsupported(f"qsub -W {asked['W']}")
    if not rules.get("enabled", True) or is_on("queue-disabled"):
        refuse(175, f"Queue is not enabled MSG=queue is disabled: {where}")
    if USER not in rules.get("users", [USER]):
        refuse(159, f"Unauthorized Request  MSG=user ACL rejected the submitting user: {where}")
    if (seconds(resources.get("walltime", "0")) or 0) > rules.get("max_walltime", float("inf")):
        refuse(190, "Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement")
    if is_on("queue-full"):
        text = "total number of jobs in queue exceeds the queue limit"
        refuse(200, f"Maximum number of jobs already in queue MSG={text}: {where}")
    if cores(resources) > CORES:
        why = "nodes file is empty, all systems are busy, or no nodes have the requested feature"
        refuse(190, f"Job exceeds queue resource limits MSG=cannot locate feasible nodes ({why})")
    now, here = int(time.time()), str(Path.cwd())
    variables = {
        "PBS_O_QUEUE": queue,
        "PBS_O_HOME": str(Path.home()),
        "PBS_O_LOGNAME": USER,
        "PBS_O_PATH": os.environ.get("PATH", ""),
        "PBS_O_MAIL": f"/var/mail/{USER}",
        "PBS_O_SHELL": os.environ.get("SHELL", "/bin/bash"),
        "PBS_O_WORKDIR": here,
        "PBS_O_HOST": SERVER,
        "PBS_O_SERVER": SERVER,
    }
    for name in asked.get("v", "").split(","):
        if name:
            variables[name.partition("=")[0]] = name.partition("=")[2] or os.environ.get(name, "")
    if "V" in asked:
        variables = {**os.environ, **variables}
    output = Path(here, asked.get("o", f"{asked['N']}.o{number}").rpartition(":")[2])
    return {
        "number": number,
        "name": asked["N"],
        "owner": USER,
        "group": grp.getgrgid(os.getgid()).gr_name,
        "job_state": "H" if "h" in asked else "Q",
        "queue": queue,
        "account": asked.get("A", ""),
        "ctime": now,
        "output": str(output),
        "error": str(Path(here, f"{asked['N']}.e{number}")),
        "join": asked.get("j", "n"),
        "mail": asked.get("m", "a"),
        "rerunable": asked.get("r", "y") == "y",
        "shell": asked.get("S", ""),
        "resources": resources,
        "variables": variables,
        "submit_args": " ".join(words),
        "work_dir": here,
    }


def seconds(text):
    """Convert a walltime (HH:MM:SS or shorter) to seconds; return None if invalid."""
    if not re.fullmatch(r"([0-9]+:){0,3}[0-9]+", text):
        return None
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return total


def cores(resources):
    """Return the cores of a request, and more than CORES for an impossible request."""
    match = re.fullmatch(r"([0-9]+)(?::ppn=([0-9]+))?", resources.get("nodes", "1"))
    return int(match[1]) * int(match[2] or 1) if match else CORES + 1


# -- qstat and qdel ----------------------------------------------------------------------------------------------------


def clock(time_used):
    """Convert seconds to HH:MM:SS."""
    return f"{int(time_used) // 3600:02d}:{int(time_used) // 60 % 60:02d}:{int(time_used) % 60:02d}"


def padded(text, width):
    """Pad a text to a number of bytes: Torque counts bytes, not characters."""
    return text + " " * (width - len(text.encode()))


def row(job):
    """Return a job's line in the listing."""
    name = job["name"] if len(job["name"]) <= 16 else f"...{job['name'][-13:]}"
    used = clock(job["cput"]) if "cput" in job else "0"
    user = padded(job["owner"].encode()[:15].decode(errors="ignore"), 15)
    job_id = padded(f"{job['number']}.{SERVER}", 26)
    return f"{job_id} {padded(name, 16)} {user} {used:>8} {job['job_state']} {padded(job['queue'], 15)}"


def xml(job):
    """Return a job as an XML element of qstat -x."""
    used = resources = ""
    if "cput" in job:
        values = {"cput": clock(job["cput"]), "vmem": "0kb", "walltime": clock(job["runtime"]), "mem": "0kb"}
        used = elements({**values, "energy_used": 0})
    if job["resources"]:
        # not recorded: Resource_List of nodes= and walltime=; form: that of mppwidth=, as recorded
        resources = elements(job["resources"] | ({"mppnodect": 1} if "mppwidth" in job["resources"] else {}))
    started = job.get("start_time")
    variables = ",".join(f"{name}={value}" for name, value in job["variables"].items())
    moment = time.strftime("%a %b %d at %H:%M", time.localtime(started)) if started else ""
    fields = {
        "Job_Id": f"{job['number']}.{SERVER}",
        "Job_Name": job["name"],
        "Job_Owner": f"{job['owner']}@{SERVER}",
        "resources_used": used,
        "job_state": job["job_state"],
        "queue": job["queue"],
        "server": SERVER,
        "Account_Name": job["account"],
        "Checkpoint": "u",
        "ctime": job["ctime"],
        "Error_Path": f"{SERVER}:{job['error']}",
        "exec_host": job.get("exec_host", ""),
        "Hold_Types": "u" if job["job_state"] == "H" else "n",
        "Join_Path": job["join"],
        "Keep_Files": "n",
        "Mail_Points": job["mail"],
        "mtime": job["mtime"],
        "Output_Path": f"{SERVER}:{job['output']}",
        "Priority": 0,
        "qtime": job["ctime"],
        "Rerunable": job["rerunable"],
        "Resource_List": resources,
        "session_id": job.get("session", ""),
        # not recorded: Shell_Path_List; form: src/server/job_attr_def.c, where it follows session_id
        "Shell_Path_List": job["shell"],
        "Variable_List": variables,
        "euser": job["owner"],
        "egroup": job["group"],
        "queue_type": "E",
        "comment": f"Job started on {moment}" if started else "",
        "etime": "" if job["job_state"] == "H" else job["ctime"],
        "exit_status": job.get("exit_status", ""),
        "submit_args": job["submit_args"],
        "start_time": started or "",
        "start_count": 1 if started else "",
        "fault_tolerant": False,
        "comp_time": job.get("comp_time", ""),
        "job_radix": 0,
        "total_runtime": f"{job['runtime']:.6f}" if "runtime" in job else "",
        "submit_host": SERVER,
        "init_work_dir": job["work_dir"],
        "request_version": 1,
    }
    return f"<Job>{elements({name: value for name, value in fields.items() if value != ''})}</Job>"


def elements(values):
    """Return XML elements; a text that is XML already stays as it is."""
    return "".join(
        f"<{name}>{value if str(value).startswith('<') else escape(str(value), {chr(34): '&quot;'})}</{name}>"
        for name, value in values.items()
    )


def qstat(words):
    """qstat [-x] [ID]"""
    as_xml, ids = words[:1] == ["-x"], [word for word in words if not word.startswith("-")]
    if len(words) != as_xml + len(ids) or len(ids) > 1:
        unsupported(f"qstat {' '.join(words)}")
    connect("qstat")
    with locked():
        shown = [find(ids[0])] if ids else jobs()
    if None in shown:
        end(153, f"qstat: Unknown Job Id Error {ids[0] if '.' in ids[0] else f'{ids[0]}.{SERVER}'}")
    if as_xml:
        sys.stdout.write(f'<?xml version="1.0"?>\n<Data>{"".join(map(xml, shown))}</Data>\n')
    elif shown:
        print("Job ID                    Name             User            Time Use S Queue")
        print("------------------------- ---------------- --------------- -------- - -----")
        for job in shown:
            print(row(job))


def qdel(words):
    """qdel ID; returns when the job is in state C, as it was after each recorded qdel."""
    if len(words) != 1 or words[0].startswith("-"):
        unsupported(f"qdel {' '.join(words)}")
    connect("qdel")
    with locked():
        job = find(words[0])
        if not job:
            end(153, f"qdel: nonexistent job id: {words[0]}")
        full = f"{job['number']}.{SERVER}"
        if job["owner"] != USER:
            end(159, f"qdel: Unauthorized Request  MSG=operation not permitted {full}")
        if job["job_state"] == "C":
            end(170, f"qdel: Request invalid for state of job MSG=invalid state for job - COMPLETE {full}")
        if job["job_state"] != "R":
            save(job, job_state="C", comp_time=int(time.time()))
            return
        if not lives(job["mom"]):
            end(224, f"qdel: Server could not connect to MOM {full}")
        save(job, deleted=True)
        os.kill(job["mom"], signal.SIGUSR1)
    while load(job["number"])["job_state"] != "C":
        time.sleep(0.01)


def lives(process):
    """Return whether a process runs and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# -- one job -----------------------------------------------------------------------------------------------------------


def mom(words):
    """Run a job from the queue to its end."""
    number = int(words[0])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1})
    while not (job := start(number)):
        time.sleep(POLL_SECONDS)
    if job["job_state"] == "R":
        follow(job)


def start(number):
    """Start a job; return None while it must wait for cores or earlier jobs."""
    with locked():
        job = load(number)
        if job is None or job["job_state"] == "C":
            return {"job_state": "C"}
        taken = {core for one in jobs() if one["job_state"] == "R" for core in one["cores"]}
        free = [core for core in range(CORES) if core not in taken]
        earlier = any(one["job_state"] == "Q" and one["number"] < number for one in jobs())
        if is_on("queue-stopped") or earlier or len(free) < cores(job["resources"]):
            return None
        mine = free[: cores(job["resources"])]
        # not recorded: exec_host of several cores; form: that of one core, as recorded
        where = {"cores": mine, "exec_host": f"{SERVER}/{mine[0]}"}
        save(job, job_state="R", start_time=int(time.time()), mom=os.getpid(), session=launch(job), **where)
        return job


def launch(job):
    """Start the login shell as a session's leader with the script; return its pid."""
    shell = job["shell"] or os.environ.get("SHELL", "/bin/bash")
    files = [(HOME / "jobs" / f"{job['number']}.{kind}").open("ab") for kind in ("OU", "ER")]
    # not recorded: PBS_* beside PBS_JOBID and PBS_JOBNAME; form: Torque's administrator guide, "Exported batch
    # environment variables"
    environment = {
        "HOME": str(Path.home()),
        "LOGNAME": job["owner"],
        "USER": job["owner"],
        "SHELL": shell,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        **job["variables"],
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_JOBID": f"{job['number']}.{SERVER}",
        "PBS_JOBNAME": job["name"],
        "PBS_QUEUE": job["queue"],
        "PBS_NUM_NODES": "1",
        "PBS_NUM_PPN": str(cores(job["resources"])),
        "PBS_VERSION": "TORQUE-6.1.3",
    }
    (read, write), (ready, led) = os.pipe(), os.pipe()
    leader = os.fork()
    if leader == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGUSR1})
        os.chdir(Path.home())
        os.umask(0o077)
        for target, source in enumerate((read, files[0].fileno(), files["oe" not in job["join"]].fileno())):
            os.dup2(source, target)
        os.closerange(3, 256)
        os.execve(shell, [f"-{Path(shell).name}"], environment)  # noqa: S606
    os.write(write, f"{HOME / 'jobs' / str(job['number'])}.SC\n".encode())
    os.close(led)
    os.read(ready, 1)  # returns when the leader has its session and receives the signals to it
    for descriptor in (read, write, ready):
        os.close(descriptor)
    for file in files:
        file.close()
    return leader


def follow(job):
    """Wait for the leader's end, kill the session's rest, and record the job's end."""
    began, limit = time.monotonic(), seconds(job["resources"].get("walltime", "")) or float("inf")
    killed = None
    while not (ended := os.wait4(job["session"], os.WNOHANG))[0]:
        signal.sigtimedwait({signal.SIGCHLD, signal.SIGUSR1}, POLL_SECONDS)
        if killed is None and load(job["number"]).get("deleted"):
            killed = DELETED
        elif killed is None and time.monotonic() - began > limit and not is_on("mom-late"):
            killed = OVER_WALLTIME
            text = f"=>> PBS: job killed: walltime {int(time.monotonic() - began)} exceeded limit {limit}\n"
            kind = "OU" if job["join"] == "oe" else "ER"
            with (HOME / "jobs" / f"{job['number']}.{kind}").open("a") as file:
                file.write(text)
        else:
            continue
        kill_session(job["session"], signal.SIGTERM)
    _, status, usage = ended
    time.sleep(random.uniform(*KILL_AFTER))  # noqa: S311
    kill_session(job["session"], signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    with locked():
        job = load(job["number"])
        deliver(job)
        code = killed if killed is not None else DELETED if code < 0 else code
        ended = {"exit_status": code, "cput": usage.ru_utime + usage.ru_stime, "runtime": time.monotonic() - began}
        save(job, job_state="C", comp_time=int(time.time()), **ended)


def kill_session(leader, number):
    """Send a signal to every process of a session."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            session = int(path.read_text().rpartition(")")[2].split()[3])
            if session == leader:
                os.kill(int(path.parent.name), number)


def deliver(job):
    """Copy the output to the job's files; with -j oe to one file."""
    targets = {"OU": job["output"]} if job["join"] == "oe" else {"OU": job["output"], "ER": job["error"]}
    for kind, target in targets.items():
        with contextlib.suppress(OSError):
            shutil.copyfile(HOME / "jobs" / f"{job['number']}.{kind}", target)


COMMANDS = {command.__name__: command for command in (qsub, qstat, qdel)}

if __name__ == "__main__":
    called = Path(sys.argv[0]).name
    if called in COMMANDS:
        COMMANDS[called](sys.argv[1:])
    elif sys.argv[1:2] == ["mom"]:
        mom(sys.argv[2:])
    else:
        sys.exit(f"torque.py: run it through one of its links: {', '.join(COMMANDS)}")
