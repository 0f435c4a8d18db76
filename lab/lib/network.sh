# shellcheck shell=bash
# The lab's own bridge network. Sourced, never run.

# ensure_network: makes $LAB_NETWORK with the addresses $LAB_PREFIX.0/24. LAB_PREFIX=any becomes those that the network has, or some
# of 10.77.40 to 10.77.239 that no other network has. The name says where the search begins: what a host of another lab was known for,
# an ssh connection kept open to it among that, is not taken for this one's.
ensure_network() {
    local subnet number first
    subnet=$(docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' "$LAB_NETWORK" 2>/dev/null || true)
    if [ "$LAB_PREFIX" = any ]; then
        [ -z "$subnet" ] || { LAB_PREFIX=${subnet%.0/24}; return; }
        first=$(cksum <<<"$LAB_NAME" | cut -d ' ' -f 1)
        for number in {0..199}; do
            LAB_PREFIX=10.77.$(((first + number) % 200 + 40))
            ! make_network 2>/dev/null || return 0
        done
    fi
    [ "$subnet" != "$LAB_PREFIX.0/24" ] || return 0
    [ -z "$subnet" ] || die "network $LAB_NETWORK has $subnet, wanted is $LAB_PREFIX.0/24: LAB_NAME=$LAB_NAME lab/down first, or another LAB_NAME"
    make_network || die "cannot make the network $LAB_NETWORK ($LAB_PREFIX.0/24): is the range in use? (docker network ls; set LAB_PREFIX)"
}

# make_network: one of the uplink's MTU; Docker refuses addresses that another network has.
make_network() {
    docker network create --subnet "$LAB_PREFIX.0/24" --gateway "$LAB_PREFIX.1" --ip-range "$LAB_PREFIX.128/25" \
        --label "$LAB_LABEL=$LAB_NAME" --opt "com.docker.network.driver.mtu=$(uplink_mtu)" "$LAB_NETWORK" >/dev/null
}

# borrow_mirror: the mirror of $LAB_MIRROR is in $LAB_NETWORK as well, under its own name.
borrow_mirror() {
    docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$LAB_NETWORK" | grep -qw "$LAB_MIRROR-mirror" ||
        docker network connect --alias mirror --ip "$LAB_PREFIX.5" "$LAB_NETWORK" "$LAB_MIRROR-mirror" ||
        die "cannot bring $LAB_MIRROR-mirror into $LAB_NETWORK: see Docker's line above"
}

# return_mirror NETWORK: no borrowed mirror keeps the network from being removed.
return_mirror() {
    docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$1" | tr ' ' '\n' | { grep -- '-mirror$' || true; } |
        while read -r mirror; do docker network disconnect --force "$1" "$mirror"; done
}
