#!/bin/bash
#SBATCH --job-name=rc4k2mz7qwx9abc
#SBATCH --partition=multi
#SBATCH --account=proj1
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=24
#SBATCH --time=04:00:00
#SBATCH --no-requeue
#SBATCH --mail-type=FAIL,BEGIN
#SBATCH --mail-user=artist@example.org,operator@example.org
#SBATCH --output=/lustre/ws/render-rc-job-17/batch-3/rc4k2mz7qwx9abc-%a.out
#SBATCH --array=0-99%5
#SBATCH --dependency=afterok:17.server:18.server,afterany:19.server
#SBATCH --export=LANG,TZ
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
export SLURM_EXPORT_ENV=ALL
export OMP_NUM_THREADS=24
. /opt/site/before.sh || finish 93
set -u
child=
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM
srun --ntasks=1 --ntasks-per-node=1 --cpus-per-task=24 --cpu-bind=none --kill-on-bad-exit=1 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null &
child=$!
while :; do wait "$child"; rc=$?; kill -0 "$child" 2>/dev/null || break; done
wait "$child" 2>/dev/null; again=$?; [ "$again" -eq 127 ] || rc=$again
finish "$rc"
