# shellcheck shell=bash
# The lab's hosts: names, addresses and containers. Sourced, never run.

ALL_HOSTS=(mirror master1 worker1 logging1 login1 compute1)

# Additional empty hosts for tests: release, image and last number of the address by name.
declare -A OTHER_RELEASE=() OTHER_IMAGE=() OTHER_NUMBER=()

# add_host NAME RELEASE[/IMAGE]: add a host; the default image is `host`.
add_host() {
    local release=${2%%/*} image=${2#"${2%%/*}"}
    image=${image#/}
    [[ $1 =~ ^[a-z][a-z0-9-]{0,29}$ && $release =~ ^[a-z]+$ && ${image:=host} =~ ^(host|base)$ ]] ||
        die "'$1=$2' is invalid: use NAME=RELEASE, NAME=RELEASE/host or NAME=RELEASE/base"
    OTHER_RELEASE[$1]=$release
    OTHER_IMAGE[$1]=$image
    OTHER_NUMBER[$1]=$((20 + ${#OTHER_NUMBER[@]}))
}

host_address() {
    case $1 in
        mirror) echo "$LAB_PREFIX.5" ;;
        master1) echo "$LAB_PREFIX.11" ;;
        worker1) echo "$LAB_PREFIX.12" ;;
        logging1) echo "$LAB_PREFIX.13" ;;
        login1) echo "$LAB_PREFIX.14" ;;
        compute1) echo "$LAB_PREFIX.15" ;;
        *)
            [ -n "${OTHER_NUMBER[$1]:-}" ] || die "the host $1 is unknown: use ${ALL_HOSTS[*]}"
            echo "$LAB_PREFIX.${OTHER_NUMBER[$1]}"
            ;;
    esac
}

host_image() {
    case $1 in
        mirror) image_tag mirror ;;
        login1 | compute1) image_tag cluster ;;
        *) LAB_RELEASE=${OTHER_RELEASE[$1]:-$LAB_RELEASE} image_tag "${OTHER_IMAGE[$1]:-host}" ;;
    esac
}

# ssh_user HOST: print the user for ssh with the lab's key, or nothing for a host without ssh.
ssh_user() {
    case $1 in
        mirror | compute1) ;;
        login1) echo render ;;
        *) echo ansible ;;
    esac
}

# The flags that systemd needs as a container's first process, instead of --privileged.
SYSTEMD_FLAGS=(--tty --stop-signal SIGRTMIN+3 --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw
    --security-opt seccomp=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH
    --tmpfs /run --tmpfs /run/lock --tmpfs /tmp --env container=docker)

# host_flags HOST: print the additional flags of a host, one per line.
host_flags() {
    case $1 in
        mirror)
            mkdir -p "$LAB_CACHE/repository" "$LAB_CACHE/debian/$LAB_NAME"
            printf '%s\n' --volume "$LAB_CACHE/repository:/srv/repository:ro" \
                --volume "$LAB_CACHE/debian/$LAB_NAME:/var/cache/debian"
            ;;
        login1 | compute1)
            docker volume create --label "$LAB_LABEL=$LAB_NAME" "$LAB_NETWORK-lustre" >/dev/null
            printf '%s\n' --volume "$LAB_NETWORK-lustre:/lustre"
            ;;
        master1) [ "$LAB_NAME" != demo ] || printf '%s\n' --publish 127.0.0.1:8443:443 ;;
        logging1) [ "$LAB_NAME" != demo ] || printf '%s\n' --publish 127.0.0.1:9443:443 ;;
    esac
    mkdir -p "$LAB_CACHE/bytecode"
    printf '%s\n' --volume "$LAB_CACHE/bytecode:/var/cache/lab-zip-bytecode"
}

container_of() { echo "$LAB_NAME-$1"; }

in_host() { docker exec "$(container_of "$1")" "${@:2}"; }

# container_state HOST: print absent, foreign (of another checkout), stale (a lab service of an older image), or
# Docker's state: running, exited, created ...
container_state() {
    local seen id state image
    seen=$(docker container inspect --format '{{index .Config.Labels "raycrafter-lab.id"}} {{.State.Status}} {{.Image}}' \
        "$(container_of "$1")" 2>/dev/null) || { echo absent; return; }
    read -r id state image <<<"$seen"
    if [ "$id" != "$(cat "$LAB_STATE/id")" ]; then
        echo foreign
    elif [ "$(ssh_user "$1")" != ansible ] && [ "$image" != "$(docker image inspect --format '{{.Id}}' "$(host_image "$1")")" ]; then
        echo stale
    else
        echo "$state"
    fi
}

# create_host HOST: create the container with the host's name, address and files, without starting it. The alias logs.HOST is
# for Graylog's pages on a host that also has the service's pages.
create_host() {
    local host=$1 flags
    mapfile -t flags < <(host_flags "$host")
    docker create --name "$(container_of "$host")" --hostname "$host" --network "$LAB_NETWORK" --network-alias "$host" --network-alias "logs.$host" \
        --ip "$(host_address "$host")" --label "$LAB_LABEL=$LAB_NAME" --label "raycrafter-lab.id=$(cat "$LAB_STATE/id")" \
        "${SYSTEMD_FLAGS[@]}" "${flags[@]}" "$(host_image "$host")" /lib/systemd/systemd >/dev/null ||
        die "cannot create the container $(container_of "$host"): see Docker's error above"
    seed_host "$host" | docker cp - "$(container_of "$host"):/"
}

# start_host HOST: start the host's container; create or replace it if necessary.
start_host() {
    local host=$1 state
    state=$(container_state "$host")
    case $state in
        running) return ;;
        foreign | stale | dead | removing)
            say "$host: removing the $state container"
            docker rm -f "$(container_of "$host")" >/dev/null
            state=absent
            ;;
    esac
    [ "$state" != absent ] || create_host "$host"
    say "$host: starting ($(host_address "$host"))"
    docker start "$(container_of "$host")" >/dev/null ||
        die "cannot start $(container_of "$host"): see Docker's error above. If a port or address is in use: lab/down $host, then lab/up"
}
