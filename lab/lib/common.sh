# shellcheck shell=bash
# Names, paths and messages for all lab scripts. Sourced, never run.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LAB_DIR
LAB_CHECKOUT=$(dirname "$LAB_DIR")
LAB_NAME=${LAB_NAME:-demo}
LAB_PREFIX=${LAB_PREFIX:-10.77.10}
# The lab whose mirror this lab uses.
LAB_MIRROR=${LAB_MIRROR:-$LAB_NAME}
LAB_RELEASE=${LAB_RELEASE:-bookworm}
LAB_CACHE=${LAB_CACHE:-/var/cache/raycrafter-lab}
LAB_STATE=${LAB_STATE:-$LAB_CHECKOUT/.lab}
export LAB_CHECKOUT LAB_NAME LAB_PREFIX LAB_MIRROR LAB_RELEASE LAB_CACHE LAB_STATE
LAB_NETWORK=raycrafter-$LAB_NAME
LAB_LABEL=raycrafter-lab
export LAB_NETWORK LAB_LABEL

[[ $LAB_NAME =~ ^[a-z][a-z0-9_]{0,19}$ ]] || { echo "lab: LAB_NAME '$LAB_NAME' is invalid: use lower-case letters, digits and _" >&2; exit 2; }
[[ $LAB_PREFIX =~ ^([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|any)$ ]] || { echo "lab: LAB_PREFIX '$LAB_PREFIX' is invalid: use three numbers, as in 10.77.10, or any" >&2; exit 2; }

# say TEXT: print a line of progress with the seconds since the script started.
say() { printf '[lab %3ds] %s\n' "$SECONDS" "$*" >&2; }

# die TEXT: print the problem and its fix, and end the script.
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# wait_until SECONDS PROBLEM COMMAND...: run COMMAND until it succeeds; print PROBLEM and fail after SECONDS.
wait_until() {
    local limit=$((SECONDS + $1)) problem=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$limit" ] || { printf 'lab: timeout: %s\n' "$problem" >&2; return 1; }
        sleep 0.2
    done
}

# content_hash PATH...: print a hash over names, modes and contents of files and directories.
content_hash() {
    local path
    for path; do
        [ -e "$path" ] || continue
        (cd "$(dirname "$path")" && find "$(basename "$path")" -type f -not -name '*.pyc' -printf '%m %p\n' | LC_ALL=C sort |
            while read -r mode file; do printf '%s %s %s\n' "$mode" "$file" "$(sha256sum <"$file")"; done)
    done | sha256sum | cut -c1-16
}

# only_one NAME: take a lock, so that two scripts never build the same target at once.
only_one() {
    mkdir -p "$LAB_CACHE"
    exec 9>"$LAB_CACHE/$1.lock"
    flock -w 1800 9 || die "another lab script has held $LAB_CACHE/$1.lock for 30 minutes: end it (fuser $LAB_CACHE/$1.lock)"
}
