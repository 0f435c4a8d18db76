# shellcheck shell=bash
# The lab's state in .lab/: identity, keys, and the files of new hosts. Sourced, never run.

SSH_DIR=$LAB_STATE/ssh
GRID_DIR=$LAB_STATE/grid

# random_hex N: print N random bytes as hexadecimal digits.
random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

ensure_state() {
    install -d -m 0700 "$LAB_STATE"
    exec 8>"$LAB_STATE/lock"
    flock 8
    install -d -m 0700 "$SSH_DIR" "$LAB_STATE/login-host-keys" "$LAB_STATE/cluster"
    [ -s "$LAB_STATE/id" ] || random_hex 8 >"$LAB_STATE/id"
    [ -s "$LAB_STATE/vault-password" ] || (umask 077 && random_hex 32 >"$LAB_STATE/vault-password")
    [ -s "$LAB_STATE/cluster/munge.key" ] || (umask 077 && head -c 128 /dev/urandom >"$LAB_STATE/cluster/munge.key")
    [ -s "$SSH_DIR/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C raycrafter-lab -f "$SSH_DIR/id_ed25519"
    # Inventories pin the login node's host key, so it must outlive the container.
    [ -s "$LAB_STATE/login-host-keys/ssh_host_ed25519_key" ] ||
        ssh-keygen -q -t ed25519 -N '' -C login1 -f "$LAB_STATE/login-host-keys/ssh_host_ed25519_key"
    # For people and tests: ssh -F .lab/ssh/config ansible@ADDRESS
    cat >"$SSH_DIR/config" <<CONFIG
IdentityFile $SSH_DIR/id_ed25519
UserKnownHostsFile $SSH_DIR/known_hosts
IdentitiesOnly yes
CONFIG
    ensure_grid
    flock -u 8
}

# grid_certificate NAME SUBJECT EXTENSIONS: create a key and a certificate of the lab's grid CA; renew it a month before its expiry.
grid_certificate() {
    local name=$1 subject=$2 extensions=$3
    if openssl x509 -in "$GRID_DIR/${name}cert.pem" -noout -checkend 2592000 >/dev/null 2>&1 && [ -s "$GRID_DIR/${name}key.pem" ]; then
        return
    fi
    (
        umask 077
        openssl req -newkey rsa:2048 -nodes -keyout "$GRID_DIR/${name}key.pem" -subj "$subject" -out "$GRID_DIR/private/$name.csr" 2>/dev/null
        openssl x509 -req -in "$GRID_DIR/private/$name.csr" -CA "$GRID_DIR/ca.pem" -CAkey "$GRID_DIR/private/cakey.pem" -days 365 \
            -set_serial "0x$(random_hex 8)" -out "$GRID_DIR/${name}cert.pem" -extfile <(printf '%s\n' "$extensions") 2>/dev/null
    )
    chmod 0644 "$GRID_DIR/${name}cert.pem"
}

# ensure_grid: create a CA with its signing policy, and the certificates of the login node and of the service.
ensure_grid() {
    local hash
    install -d -m 0700 "$GRID_DIR" "$GRID_DIR/private"
    if [ ! -s "$GRID_DIR/ca.pem" ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -keyout "$GRID_DIR/private/cakey.pem" -subj '/O=Lab/CN=Lab Grid CA' -days 3650 \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign -out "$GRID_DIR/ca.pem" 2>/dev/null
    fi
    hash=$(openssl x509 -in "$GRID_DIR/ca.pem" -noout -hash)
    cp "$GRID_DIR/ca.pem" "$GRID_DIR/$hash.0"
    cat >"$GRID_DIR/$hash.signing_policy" <<'POLICY'
access_id_CA   X509    '/O=Lab/CN=Lab Grid CA'
pos_rights     globus  CA:sign
cond_subjects  globus  '"/O=Lab/*"'
POLICY
    grid_certificate host '/O=Lab/CN=login1' 'keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:login1'
    grid_certificate user '/O=Lab/CN=RayCrafter service' 'keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=clientAuth'
    echo '"/O=Lab/CN=RayCrafter service" render' >"$GRID_DIR/grid-mapfile"
}

# place FILE PATH MODE: add a file to the archive of seed_host.
place() { install -D -m "$3" "$1" "$seed/etc/$2"; }

# seed_host HOST: print a tar archive with the files for a new container.
seed_host() (
    umask 022
    seed=$(mktemp -d)
    trap 'rm -rf "$seed"' EXIT
    mkdir -p "$seed/etc"
    user=$(ssh_user "$1")
    [ -z "$user" ] || place "$SSH_DIR/id_ed25519.pub" "ssh/authorized_keys/$user" 0644
    case $1 in
        login1 | compute1) place "$LAB_STATE/cluster/munge.key" lab/munge.key 0600 ;;
    esac
    if [ "$1" = login1 ]; then
        hash=$(openssl x509 -in "$GRID_DIR/ca.pem" -noout -hash)
        place "$GRID_DIR/hostcert.pem" grid-security/hostcert.pem 0644
        place "$GRID_DIR/hostkey.pem" grid-security/hostkey.pem 0400
        place "$GRID_DIR/grid-mapfile" grid-security/grid-mapfile 0644
        place "$GRID_DIR/$hash.0" "grid-security/certificates/$hash.0" 0644
        place "$GRID_DIR/$hash.signing_policy" "grid-security/certificates/$hash.signing_policy" 0644
        place "$LAB_STATE/login-host-keys/ssh_host_ed25519_key" ssh/ssh_host_ed25519_key 0600
        place "$LAB_STATE/login-host-keys/ssh_host_ed25519_key.pub" ssh/ssh_host_ed25519_key.pub 0644
    fi
    tar -C "$seed" --owner=0 --group=0 --numeric-owner -c etc
)
