# Shared by the scripts in this folder: where things are, how to speak, how
# to become root.  Sourced, never run.

# Copyright (C) the chat module's authors


set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$top"

BUILD=${BUILD:-build}
CC=${CC:-cc}

case $BUILD in
    /*) build=$BUILD ;;
    *)  build=$top/$BUILD ;;
esac

# Debian keeps nginx where a plain user's PATH does not look

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}


say()
{
    echo "=> $*"
}


die()
{
    echo "$(basename "$0"): $*" >&2
    exit 1
}


have()
{
    command -v "$1" >/dev/null 2>&1
}


# Runs a long command with its output in a log; the log is shown if it fails

quietly()
{
    local log=$1

    shift
    mkdir -p "$(dirname "$log")"

    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 60 "$log" >&2
        echo "the whole output is in $log" >&2
        return 1
    fi
}


as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"

    elif have sudo; then
        sudo "$@"

    else
        return 127
    fi
}


# One at a time in a build folder: parallel calls wait here for each other

lock_build()
{
    mkdir -p "$build"
    exec 9>"$build/.lock"

    if have flock && ! flock -n 9; then
        say "another build is under way, waiting for it"
        flock 9
    fi
}
