#!/bin/bash
#PBS -N rc4k2mz7qwx9abc
#PBS -q multi
#PBS -A proj1
#PBS -P p7
#PBS -l select=1:ncpus=24:mpiprocs=1:ompthreads=24
#PBS -l place=scatter:excl
#PBS -l walltime=04:00:00
#PBS -r n
#PBS -j oe
#PBS -m ab
#PBS -M artist@example.org,operator@example.org
#PBS -S /bin/bash
#PBS -o /lustre/ws/render-rc-job-17/batch-3/rc4k2mz7qwx9abc-^array_index^.out
#PBS -J 0-99%5
#PBS -W depend=afterok:17.server:18.server,afterany:19.server
#PBS -v LANG,TZ
exit_file="exit.${PBS_ARRAYID:-${PBS_ARRAY_INDEX:-${SLURM_ARRAY_TASK_ID:-}}}"
finish() {
    /opt/site/after "$1" </dev/null
    printf '%s %s\n' "${PBS_JOBID:-${SLURM_JOB_ID:-unknown}}" "$1" >"$exit_file.tmp" &&
        mv "$exit_file.tmp" "$exit_file"
    exit "$1"
}
umask 077
cd /lustre/ws/render-rc-job-17/batch-3 || exit 90
command -v module >/dev/null || . /etc/profile
module load PrgEnv-gnu/6.0 povray || finish 91
WORKSPACE=$(ws_find rc-job-17) && [ -d "$WORKSPACE" ] || finish 92
export WORKSPACE
export OMP_NUM_THREADS=24
. /opt/site/before.sh || finish 93
set -u
child=
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
mpiexec -n 1 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
child=$!
while :; do wait "$child"; rc=$?; kill -0 "$child" 2>/dev/null || break; done
wait "$child" 2>/dev/null; again=$?; [ "$again" -eq 127 ] || rc=$again
finish "$rc"
