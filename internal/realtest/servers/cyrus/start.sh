#!/bin/sh
set -eu
user() { echo "$2" | saslpasswd2 -p -c -u localhost "$1"; }
user alice '@ALICE_PASSWORD@'
user bob '@BOB_PASSWORD@'
user cyrus '@ADMIN_PASSWORD@'
chown cyrus:mail /etc/sasldb2 /etc/ssl/realtest/key.pem
mkdir -p /run/cyrus
chown cyrus:mail /run/cyrus
exec /usr/lib/cyrus/bin/master -D
