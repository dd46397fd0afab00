#!/usr/bin/env bash
# Brings in what the test layers need beyond the Rust tool chain: programs from Debian, the
# Python clients in tests/.venv, the JavaScript clients in tests/js/node_modules. It may be
# run any number of times; what is there already is left alone.
#
# What cannot be had is written to tests/.venv/skipped-layers, one `layer: reason` a line, and
# the runners skip that layer aloud. With CI=true it is a failure instead.
set -euo pipefail
cd "$(dirname "$0")"

skipped=.venv/skipped-layers
mkdir -p .venv
: >"$skipped.new"

# layer, the command or file that shows it is there, the package that brings it
programs='
influx-cli       influx           influxdb-client
influxd          influxd          influxdb
victoria-metrics victoria-metrics victoria-metrics
strace           strace           strace
wrk              wrk              wrk
icinga2          icinga2          icinga2-bin
collectd         collectd         collectd-core
pcp2influxdb     pcp2influxdb     pcp-export-pcp2influxdb
ruby-client      ruby             ruby
ruby-client      /usr/share/rubygems-integration/all/specifications/influxdb-0.8.1.gemspec ruby-influxdb
perl-client      perl             perl
perl-client      /usr/share/perl5/InfluxDB/LineProtocol.pm libinfluxdb-lineprotocol-perl
'

# Whether a command or file is there.
there() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

skip() {
    printf '%s: %s\n' "$1" "$2" >>"$skipped.new"
}

install_programs() {
    local layer command package wanted=()
    while read -r layer command package; do
        [ -z "$layer" ] || there "$command" || wanted+=("$package")
    done <<<"$programs"
    # Debian's Python has venv as a package of its own.
    if command -v python3 >/dev/null && ! python3 -c 'import ensurepip' 2>/dev/null; then
        wanted+=(python3-venv)
    fi
    [ ${#wanted[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "setup: not root, or no apt-get; not installed: ${wanted[*]}" >&2
        return 0
    fi
    apt_install "${wanted[@]}" || echo "setup: apt-get failed for: ${wanted[*]}" >&2
}

# Installs without starting anything: influxdb's package would otherwise take port 8086, and
# icinga2 and collectd would watch the machine.
apt_install() {
    local policy=/usr/sbin/policy-rc.d made= status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=1
    fi
    {
        apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
    } >.venv/apt.log 2>&1 || status=$?
    [ -z "$made" ] || rm -f "$policy"
    [ "$status" = 0 ] || tail -n 20 .venv/apt.log >&2
    return "$status"
}

note_missing_programs() {
    local layer command package
    while read -r layer command package; do
        [ -z "$layer" ] || there "$command" ||
            skip "$layer" "$command is not installed (Debian package $package)"
    done <<<"$programs"
}

install_python_clients() {
    if cmp -s requirements.txt .venv/installed-requirements.txt &&
        .venv/bin/python -c '' 2>/dev/null; then
        return 0
    fi
    if ! { python3 -m venv .venv &&
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --requirement requirements.txt; } >.venv/pip.log 2>&1; then
        tail -n 20 .venv/pip.log >&2
        skip python-clients "pip could not install tests/requirements.txt"
        return 0
    fi
    cp requirements.txt .venv/installed-requirements.txt
}

install_js_clients() {
    local stamp=js/node_modules/.installed-lock.json
    if cmp -s js/package-lock.json "$stamp"; then
        return 0
    fi
    if ! command -v npm >/dev/null; then
        skip js-clients "npm is not installed"
        return 0
    fi
    if ! npm --prefix js ci --no-audit --no-fund --ignore-scripts >.venv/npm.log 2>&1; then
        tail -n 20 .venv/npm.log >&2
        skip js-clients "npm could not install tests/js/package-lock.json"
        return 0
    fi
    cp js/package-lock.json "$stamp"
}

install_programs
note_missing_programs
install_python_clients
install_js_clients
mv "$skipped.new" "$skipped"

if [ -s "$skipped" ]; then
    sed 's/^/setup: skipped layer /' "$skipped" >&2
    if [ "${CI:-}" = true ]; then
        echo "setup: in CI every layer must be there" >&2
        exit 1
    fi
fi
