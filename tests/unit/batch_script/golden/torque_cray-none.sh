#!/bin/bash
#PBS -N rc4k2mz7qwx9abc
#PBS -q multi
#PBS -l mppwidth=24
#PBS -l mppnppn=24
#PBS -l mppdepth=1
#PBS -l walltime=04:00:00
#PBS -r n
#PBS -j oe
#PBS -m n
#PBS -S /bin/bash
#PBS -o /lustre/ws/render-rc-job-17/batch-3/rc4k2mz7qwx9abc.out
exit_file="exit"
finish() {
    printf '%s %s\n' "${PBS_JOBID:-${SLURM_JOB_ID:-unknown}}" "$1" >"$exit_file.tmp" &&
        mv "$exit_file.tmp" "$exit_file"
    exit "$1"
}
umask 077
cd /lustre/ws/render-rc-job-17/batch-3 || exit 90
set -u
child=
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
/lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
child=$!
while :; do wait "$child"; rc=$?; kill -0 "$child" 2>/dev/null || break; done
wait "$child" 2>/dev/null; again=$?; [ "$again" -eq 127 ] || rc=$again
finish "$rc"
