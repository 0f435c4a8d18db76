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
    [[ $1 =~ ^[0-9]{1,3}$ ]] || set -- 143
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
rc_stage=143
set -u
rc_child='' rc_term='' rc_code=''
rc_command() {
    trap : TERM
    read -r _ || exit
    sh -c 'echo $$; exec "$@" >&3 3>&-' sh \
mpiexec -n 4 /lustre/sw/raycrafter/current/bin/python -m raycrafter_client run </dev/null
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
