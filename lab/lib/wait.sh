# shellcheck shell=bash
# Wait until hosts are ready. Sourced, never run.

# on_host HOST USER COMMAND...: run a command over ssh with the lab's key.
on_host() {
    local host=$1 user=$2
    shift 2
    ssh -i "$SSH_DIR/id_ed25519" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=yes \
        -o "UserKnownHostsFile=$SSH_DIR/known_hosts" -o LogLevel=ERROR "$user@$(host_address "$host")" "$@" </dev/null
}

# booted HOST: succeed if systemd has finished booting, also with a failed unit of a deployed role.
booted() { in_host "$1" systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }

answers_on() { timeout 2 bash -c "</dev/tcp/$1/$2" 2>/dev/null; }

# save_host_key HOST: write the host's ed25519 key to .lab/ssh/known_hosts and replace an older key.
save_host_key() {
    local address line
    address=$(host_address "$1")
    line=$(ssh-keyscan -T 5 -t ed25519 "$address" 2>/dev/null | grep -v '^#') || return 1
    (
        flock 7
        touch "$SSH_DIR/known_hosts"
        if grep -qxF "$line" "$SSH_DIR/known_hosts"; then exit 0; fi
        grep -v "^$address " "$SSH_DIR/known_hosts" >"$SSH_DIR/known_hosts.new" || true
        echo "$line" >>"$SSH_DIR/known_hosts.new"
        mv "$SSH_DIR/known_hosts.new" "$SSH_DIR/known_hosts"
    ) 7>"$SSH_DIR/lock"
}

ssh_works() { save_host_key "$1" && on_host "$1" "$2" true; }

compute_idle() { in_host login1 sinfo --noheader --nodes=compute1 --format=%T | grep -qE '^(idle|mixed|allocated)$'; }

# Slurm keeps a node that died with its machine "down" until an operator resumes it.
resume_compute() { compute_idle || { in_host login1 scontrol update nodename=compute1 state=resume 2>/dev/null; compute_idle; }; }

# host_ready HOST: wait until the host's services answer; print the missing one after a timeout.
host_ready() {
    local host=$1 user
    wait_until 60 "$host: systemd has not finished booting (docker exec $(container_of "$host") systemctl list-jobs)" booted "$host" || return
    user=$(ssh_user "$host")
    if [ -n "$user" ]; then
        wait_until 30 "$host: no ssh as $user (docker exec $(container_of "$host") journalctl -u ssh)" ssh_works "$host" "$user" || return
    fi
    case $host in
        mirror)
            wait_until 20 "mirror: nginx does not serve the repository (docker exec $(container_of mirror) journalctl -u nginx)" \
                in_host mirror test -s /srv/repository/raycrafter-lab/dists/stable/InRelease &&
                wait_until 20 "mirror: port 80 is closed" answers_on "$(host_address mirror)" 80 &&
                wait_until 20 "mirror: the package cache does not answer on 3142 (docker exec $(container_of mirror) journalctl -u nginx)" answers_on "$(host_address mirror)" 3142
            ;;
        login1)
            wait_until 30 "login1: GridFTP does not answer on 2811 (docker exec $(container_of login1) tail /var/log/gridftp.log)" \
                answers_on "$(host_address login1)" 2811
            ;;
        compute1)
            [ "$(container_state login1)" = running ] || return 0
            wait_until 40 "compute1: the node is not idle in Slurm (docker exec $(container_of login1) sinfo -R)" resume_compute
            ;;
    esac
}
