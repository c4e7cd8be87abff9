#!/bin/sh
# Installs what the tests run: a C compiler for the race detector, tools that break networks, mandoc, a browser, and the real
# servers, each into a root directory of its own, because Debian's three IMAP packages exclude one another and nobody's machine
# should gain a mail server by a test run. Nothing of this is started here. A second run finds everything in place. See
# internal/realtest.
set -eu

roots=${IMAP_EXPORTER_TEST_ROOTS:-/var/cache/imap-exporter-test}

refuse() {
    echo "install: real servers are not installed: $1"
    [ "${IMAP_EXPORTER_TEST_ALL:-}" = 1 ] && exit 1
    exit 0
}

[ "$(id -u)" = 0 ] || refuse "this needs root, to run each in a chroot"
[ -r /etc/os-release ] && . /etc/os-release
[ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] || refuse "this needs Debian 12, not ${PRETTY_NAME:-this system}"

# Only tools, no daemons that would start by themselves, so the system needs no protection from these packages.
missing=
for package in gcc libc6-dev mandoc mmdebstrap iproute2 nftables chromium fonts-dejavu-core; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "install:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi

mkdir -p "$roots"
exec 9>"$roots/lock"
flock 9

# Copies that a killed test run left behind.
find "$roots" -mindepth 1 -maxdepth 1 -name 'run-*' -mmin +120 -exec rm -rf {} +

# mmdebstrap reads no settings of the host: the mirror and the proxy are handed on.
mirrors=
for list in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    [ -s "$list" ] && mirrors="$mirrors $list"
done
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
{ apt-config dump | grep '^Acquire::https\?::Proxy' || true; echo 'Acquire::Retries "3";'; } >"$settings"

# build NAME VARIANT PACKAGES: a root with these packages, put in place only when it is complete. No daemon starts in it.
# Variant essential is a system that can be a chroot; extract only unpacks.
build() {
    root=$roots/$1
    [ "$(cat "$root/packages" 2>/dev/null)" = "$3" ] && return
    echo "install: $1 ($3) into $root"
    rm -rf "$root.new"
    # shellcheck disable=SC2086 # a list of words
    if ! mmdebstrap --variant="$2" --include="$3" --aptopt="$settings" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$root.new" $mirrors >"$root.log" 2>&1; then
        cat "$root.log"
        echo "install: $1 failed"
        return 1
    fi
    echo "$3" >"$root.new/packages"
    rm -rf "$root"
    mv "$root.new" "$root"
}

build dovecot essential dovecot-imapd & dovecot=$!
build cyrus essential cyrus-imapd,cyrus-admin,sasl2-bin & cyrus=$!
build courier essential courier-imap,courier-authlib-userdb & courier=$!
build prometheus extract prometheus & prometheus=$!
build alertmanager extract prometheus-alertmanager & alertmanager=$!
failed=0
for job in $dovecot $cyrus $courier $prometheus $alertmanager; do wait "$job" || failed=1; done
exit $failed
