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
rc_finish() {
    local file="/lustre/ws/render-rc-job-17/batch-3/exit.${PBS_ARRAYID:-${PBS_ARRAY_INDEX:-${SLURM_ARRAY_TASK_ID:-}}}"
    set +eu
    [[ $1 =~ ^[0-9]{1,3}$ ]] || set -- 143
    /opt/site/after "$1" </dev/null
    printf '%s %s\n' "${PBS_JOBID:-${SLURM_JOB_ID:-unknown}}" "$1" >"$file.tmp" &&
        mv "$file.tmp" "$file"
    exit "$1"
}
rc_guard() {
    set +eu +o pipefail
    trap 'rc_finish "$rc_stage"' EXIT
    trap 'rc_stage=143; exit 143' TERM
}
rc_guard
umask 077
rc_stage=90
cd /lustre/ws/render-rc-job-17/batch-3 || exit
rc_stage=91
command -v module >/dev/null || . /etc/profile
for rc_module in PrgEnv-gnu/6.0 povray; do
    rc_before=${LOADEDMODULES-}
    module load "$rc_module" || exit
    case ":${LOADEDMODULES-}:" in
    *":$rc_module:"* | *":$rc_module/"*) ;;
    ":$rc_before:") echo "module $rc_module did not load" >&2; exit ;;
    esac
done
rc_stage=92
WORKSPACE=$(ws_find rc-job-17) && [ -d "$WORKSPACE" ] || exit
export WORKSPACE
export OMP_NUM_THREADS=24
rc_stage=93
. /opt/site/before.sh
rc_code=$?; [ "$rc_code" -eq 0 ] || exit "$rc_code"
set +eu +o pipefail
rc_stage=143
set -u
rc_child='' rc_term='' rc_code=''
rc_command() {
    trap : TERM
    read -r _ || exit
    sh -c 'echo $$; exec "$@" >&3 3>&-' sh \
mpiexec -n 1 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null
    echo "$?"
}
trap 'rc_term=yes; [ -z "$rc_child" ] || kill -TERM "$rc_child" 2>/dev/null' TERM
exec 3>&1
coproc rc_command
rc_keeper=$!
exec 4<&"${COPROC[0]}"
echo go >&"${COPROC[1]}"
trap - EXIT
read -r rc_child <&4
[ -z "$rc_term" ] || kill -TERM "$rc_child" 2>/dev/null
while kill -0 "$rc_keeper" 2>/dev/null; do wait "$rc_keeper"; done
rc_child=''
read -r rc_code <&4
rc_finish "$rc_code"
