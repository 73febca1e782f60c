# Sourced by the tools that start servers, after say.sh.  `target` is the target of make, for messages.
# shellcheck shell=bash

# $1: the variable, $2: the largest value
check_number() {
    [[ ${!1} =~ ^[1-9][0-9]{0,4}$ ]] && [ "${!1}" -le "$2" ] || die "$1=${!1} is not a number from 1 to $2"
}

accepts_connections() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Each of the variables must be a port of its own that nothing listens on.
check_ports() {
    local port other
    for port in "$@"; do
        check_number "$port" 65535
        ! accepts_connections "${!port}" ||
            die "port ${!port} is in use; choose another one: make $target $port=$((${!port} % 65535 + 1))"
        for other in "$@"; do
            [ "$port" = "$other" ] || [ "${!port}" != "${!other}" ] ||
                die "$port and $other are both ${!port}; they must differ"
        done
    done
}

# $1: a port, $2: a path.  Whether an HTTP server there answers 200.
answers() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n' "$2" >&3
        read -r -t 2 _ status _ <&3
        [ "$status" = 200 ]
    ) 2>/dev/null
}

# $1: Envoy's admin port, $2: its listener.  Sends the listener no request, which would be counted.
envoy_is_ready() { answers "$1" /ready && accepts_connections "$2"; }
