#!/bin/bash
#SBATCH --job-name=rc4k2mz7qwx9abc
#SBATCH --partition=multi
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=12
#SBATCH --time=04:00:00
#SBATCH --no-requeue
#SBATCH --mail-type=NONE
#SBATCH --output=/lustre/ws/render-rc-job-17/batch-3/rc4k2mz7qwx9abc.out
#SBATCH --export=NONE
exit_file="exit"
finish() {
    printf '%s %s\n' "${PBS_JOBID:-${SLURM_JOB_ID:-unknown}}" "$1" >"$exit_file.tmp" &&
        mv "$exit_file.tmp" "$exit_file"
    exit "$1"
}
umask 077
cd /lustre/ws/render-rc-job-17/batch-3 || exit 90
export APRUN_XFER_LIMITS=1
set -u
child=
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
aprun -n 4 -N 2 -d 12 -j 1 -cc none -b -q /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
child=$!
while :; do wait "$child"; rc=$?; kill -0 "$child" 2>/dev/null || break; done
wait "$child" 2>/dev/null; again=$?; [ "$again" -eq 127 ] || rc=$again
finish "$rc"
