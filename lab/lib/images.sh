# shellcheck shell=bash
# Build the images: a base by mmdebstrap, and images that extend it. Sourced, never run.
# An image has the hash of its inputs as a label and is built again only when the hash changes.

image_tag() { echo "raycrafter-lab/$1:$LAB_RELEASE"; }

image_hash_of() { docker image inspect --format '{{index .Config.Labels "raycrafter-lab.hash"}}' "$1" 2>/dev/null || true; }

# package_names FILE: print the names of a package list without comments, one per line.
package_names() { sed 's/#.*//' "$1" | tr -s ' \t' '\n' | sed '/^$/d'; }

# stage DIRECTORY TARGET: copy an image's directory and the machine's additional CA certificates.
stage() {
    rm -rf "$2" && mkdir -p "$2/ca"
    cp -r "$1/." "$2/"
    cp /usr/local/share/ca-certificates/*.crt "$2/ca/" 2>/dev/null || true
}

# import_host: build raycrafter-lab/host, the base of all images.
import_host() {
    local tag hash work packages components=main debs=$LAB_CACHE/debs-$LAB_RELEASE
    tag=$(image_tag host)
    hash=$(content_hash "$LAB_DIR/images/host" /usr/local/share/ca-certificates)
    [ "$(image_hash_of "$tag")" != "$hash" ] || return 0
    say "building $tag"
    work=$LAB_CACHE/work-host
    stage "$LAB_DIR/images/host" "$work"
    mkdir -p "$debs"
    packages=$(package_names "$LAB_DIR/images/host/packages.txt" | paste -sd,)
    case $LAB_RELEASE in
        jammy | noble | resolute) components=main,universe ;;
    esac
    # mmdebstrap runs the hooks with the new root as $1.
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase --components="$components" --include="$packages" \
        --skip=download/empty --skip=essential/unlink --skip=cleanup/apt \
        --setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
        --setup-hook="sync-in '$debs' /var/cache/apt/archives" \
        --customize-hook="sync-out /var/cache/apt/archives '$debs'" \
        --customize-hook='mkdir "$1/lab-build"' \
        --customize-hook="sync-in '$work' /lab-build" \
        --customize-hook='chroot "$1" /lab-build/install' \
        --customize-hook='rm -rf "$1/lab-build"' \
        "$LAB_RELEASE" "$LAB_CACHE/host-$LAB_RELEASE.tar" ||
        die "mmdebstrap could not build $LAB_RELEASE: check that its archive is reachable (apt-get update) and its keys are in /usr/share/keyrings"
    docker import --change 'CMD ["/lib/systemd/systemd"]' --change 'ENV container=docker' \
        --change "LABEL raycrafter-lab.hash=$hash" "$LAB_CACHE/host-$LAB_RELEASE.tar" "$tag" >/dev/null
    rm -rf "$LAB_CACHE/host-$LAB_RELEASE.tar" "$work"
}

# extend NAME: build raycrafter-lab/NAME from the host image and lab/images/NAME/{packages.txt,install}; install is optional.
extend() {
    local name=$1 base tag hash work box=raycrafter-lab-build-$1 debs=$LAB_CACHE/debs-$LAB_RELEASE
    base=$(image_tag host)
    tag=$(image_tag "$name")
    hash=$(printf '%s %s' "$(image_hash_of "$base")" "$(content_hash "$LAB_DIR/images/$name")" | sha256sum | cut -c1-16)
    [ "$(image_hash_of "$tag")" != "$hash" ] || return 0
    say "building $tag"
    work=$LAB_CACHE/work-$name
    stage "$LAB_DIR/images/$name" "$work"
    mkdir -p "$debs"
    docker rm -f "$box" >/dev/null 2>&1 || true
    # shellcheck disable=SC2046
    docker run --name "$box" --network "$LAB_NETWORK" -v "$work:/lab-build:ro" -v "$debs:/var/cache/apt/archives" \
        -e DEBIAN_FRONTEND=noninteractive "$base" /bin/bash -euc '
            printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
            chmod +x /usr/sbin/policy-rc.d
            printf "Binary::apt::APT::Keep-Downloaded-Packages \"true\";\nAPT::Keep-Downloaded-Packages \"true\";\n" >/etc/apt/apt.conf.d/99build
            apt-get -qq update
            apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; exit 1; }
            [ ! -e /lab-build/install ] || /lab-build/install
            rm -rf /usr/sbin/policy-rc.d /etc/apt/apt.conf.d/99build /tmp/apt.log
        ' install $(package_names "$work/packages.txt") >&2 ||
        die "could not build $tag: see the lines above and the container $box, which is kept"
    docker commit --change 'CMD ["/lib/systemd/systemd"]' \
        --change "LABEL raycrafter-lab.hash=$hash" "$box" "$tag" >/dev/null
    docker rm "$box" >/dev/null
    rm -rf "$work"
}
