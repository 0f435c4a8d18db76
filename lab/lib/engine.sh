# shellcheck shell=bash
# Use a running Docker engine, or start one. Sourced, never run.

DOCKERD_LOG=${DOCKERD_LOG:-/var/log/dockerd.log}

engine_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# uplink_mtu: print the MTU of the default route. A bridge with a larger MTU loses large packets without an error.
uplink_mtu() {
    local device
    device=$(ip -4 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
    cat "/sys/class/net/${device:-none}/mtu" 2>/dev/null || echo 1500
}

# process_is PIDFILE NAME: succeed if the process of a pid file runs and has that name. A zombie does not run.
process_is() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] &&
        ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$pid/status" 2>/dev/null
}

# A killed engine leaves pid files, whose numbers other processes may have, and dead sockets: dockerd would wait for them
# and fail.
remove_engine_leftovers() {
    process_is /run/docker.pid dockerd || rm -f /run/docker.pid /run/docker.sock
    process_is /run/docker/containerd/containerd.pid containerd ||
        rm -f /run/docker/containerd/containerd.pid /run/docker/containerd/containerd.sock{,.ttrpc} \
            /run/docker/containerd/containerd-debug.sock
    if [ -S /run/containerd/containerd.sock ] && ! timeout 5 ctr --connect-timeout 2s version >/dev/null 2>&1; then
        rm -f /run/containerd/containerd.sock{,.ttrpc}
    fi
}

# Every systemd uses inotify instances, and all hosts share the kernel's limit: above it a host never finishes its boot.
ensure_watches() {
    local limit=/proc/sys/fs/inotify/max_user_instances
    [ "$(cat "$limit")" -ge 1024 ] || { echo 1024 >"$limit"; } 2>/dev/null ||
        say "the kernel allows $(cat "$limit") inotify instances, too few for many hosts: sysctl fs.inotify.max_user_instances=1024"
}

engine_settled() { engine_answers || ! process_is /run/docker.pid dockerd; }

start_engine() {
    engine_answers && return
    [ "$(id -u)" = 0 ] || die "no Docker engine answers: start it (sudo systemctl start docker), add $(id -un) to the group docker, or run lab/bootstrap as root"
    command -v dockerd >/dev/null || die "dockerd is missing: run lab/bootstrap"
    if [ -d /run/systemd/system ]; then
        systemctl start docker || die "systemd cannot start docker: see journalctl -u docker"
    else
        if process_is /run/docker.pid dockerd; then
            say "dockerd is starting or stopping (process $(cat /run/docker.pid))"
            wait_until 90 "dockerd neither answers nor ends" engine_settled ||
                die "dockerd (process $(cat /run/docker.pid)) does not answer: end the process and run the script again"
        fi
        engine_answers || launch_engine
    fi
    wait_until 90 "the Docker engine does not answer" engine_answers ||
        die "the Docker engine does not answer after 90 s: see $DOCKERD_LOG, which ends with: $(tail -n 5 "$DOCKERD_LOG" 2>/dev/null)"
}

launch_engine() {
    remove_engine_leftovers
    say "starting dockerd (log: $DOCKERD_LOG)"
    setsid --fork dockerd --mtu "$(uplink_mtu)" >>"$DOCKERD_LOG" 2>&1 </dev/null 9>&-
}
