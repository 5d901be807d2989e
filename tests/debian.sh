# For the tests' scripts, which source it: installs what they need and the machine lacks.

# debian PACKAGE MESSAGE: installs a Debian package where that is possible, else says what to do, and ends.
debian() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
    else
        missing "$2"
    fi
}

missing() {
    echo "$1" >&2
    exit 1
}
