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
rc_finish() {
    local file="/lustre/ws/render-rc-job-17/batch-3/exit"
    set +eu
    printf '%s %s\n' "${PBS_JOBID:-${SLURM_JOB_ID:-unknown}}" "$1" >"$file.tmp" &&
        mv "$file.tmp" "$file"
    exit "$1"
}
rc_guard() {
    set +eu +o pipefail
    trap 'rc_finish "$rc_stage"' EXIT
}
rc_guard
umask 077
rc_stage=90
cd /lustre/ws/render-rc-job-17/batch-3 || exit
trap - EXIT
set -u
rc_child='' rc_term=''
trap 'rc_term=yes; [ -z "$rc_child" ] || kill -TERM "$rc_child" 2>/dev/null' TERM
mpiexec -n 4 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
rc_child=$!
[ -z "$rc_term" ] || kill -TERM "$rc_child" 2>/dev/null
while :; do wait "$rc_child"; rc_code=$?; kill -0 "$rc_child" 2>/dev/null || break; done
wait "$rc_child" 2>/dev/null; rc_again=$?; [ "$rc_again" -eq 127 ] || rc_code=$rc_again
rc_finish "$rc_code"
