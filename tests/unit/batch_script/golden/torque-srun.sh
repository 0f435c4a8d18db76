#!/bin/bash
#PBS -N rc4k2mz7qwx9abc
#PBS -q multi
#PBS -l nodes=2:ppn=24
#PBS -l walltime=04:00:00
#PBS -r n
#PBS -j oe
#PBS -m n
#PBS -S /bin/bash
#PBS -o /lustre/ws/render-rc-job-17/batch-3/rc4k2mz7qwx9abc.out
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
export SLURM_EXPORT_ENV=ALL
trap - EXIT
set -u
rc_child='' rc_term=''
trap 'rc_term=yes; [ -z "$rc_child" ] || kill -TERM "$rc_child" 2>/dev/null' TERM
srun --ntasks=4 --ntasks-per-node=2 --cpus-per-task=12 --cpu-bind=none --kill-on-bad-exit=1 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
rc_child=$!
[ -z "$rc_term" ] || kill -TERM "$rc_child" 2>/dev/null
while :; do wait "$rc_child"; rc_code=$?; kill -0 "$rc_child" 2>/dev/null || break; done
wait "$rc_child" 2>/dev/null; rc_again=$?; [ "$rc_again" -eq 127 ] || rc_code=$rc_again
rc_finish "$rc_code"
