# shellcheck shell=bash
# The lab's bridge network. Sourced, never run.

# ensure_network: create $LAB_NETWORK with the addresses $LAB_PREFIX.0/24. LAB_PREFIX=any keeps the network's addresses, or takes
# unused ones from 10.77.40 to 10.77.239. The search starts at a number derived from the name: an address is rarely reused by another
# lab, whose host keys and open ssh connections belong to other hosts.
ensure_network() {
    local subnet number first
    subnet=$(docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' "$LAB_NETWORK" 2>/dev/null || true)
    if [ "$LAB_PREFIX" = any ]; then
        [ -z "$subnet" ] || { LAB_PREFIX=${subnet%.0/24}; return; }
        first=$(cksum <<<"$LAB_NAME" | cut -d ' ' -f 1)
        for number in {0..199}; do
            LAB_PREFIX=10.77.$(((first + number) % 200 + 40))
            ! create_network 2>/dev/null || return 0
        done
    fi
    [ "$subnet" != "$LAB_PREFIX.0/24" ] || return 0
    [ -z "$subnet" ] || die "the network $LAB_NETWORK has $subnet instead of $LAB_PREFIX.0/24: run LAB_NAME=$LAB_NAME lab/down, or set another LAB_NAME"
    create_network || die "cannot create the network $LAB_NETWORK ($LAB_PREFIX.0/24): if another network uses the range (docker network ls), set LAB_PREFIX"
}

# create_network: create the network with the uplink's MTU; Docker refuses addresses of another network.
create_network() {
    docker network create --subnet "$LAB_PREFIX.0/24" --gateway "$LAB_PREFIX.1" --ip-range "$LAB_PREFIX.128/25" \
        --label "$LAB_LABEL=$LAB_NAME" --opt "com.docker.network.driver.mtu=$(uplink_mtu)" "$LAB_NETWORK" >/dev/null
}

# connect_mirror: connect the mirror of $LAB_MIRROR to $LAB_NETWORK, under the name mirror.
connect_mirror() {
    docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$LAB_NETWORK" | grep -qw "$LAB_MIRROR-mirror" ||
        docker network connect --alias mirror --ip "$LAB_PREFIX.5" "$LAB_NETWORK" "$LAB_MIRROR-mirror" ||
        die "cannot connect $LAB_MIRROR-mirror to $LAB_NETWORK: see Docker's error above"
}

# disconnect_mirrors NETWORK: disconnect other labs' mirrors, so that the network can be removed.
disconnect_mirrors() {
    docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$1" | tr ' ' '\n' | { grep -- '-mirror$' || true; } |
        while read -r mirror; do docker network disconnect --force "$1" "$mirror"; done
}
