#!/bin/sh
set -eu
mkdir -p /srv/mail
chown mail:mail /srv/mail
exec dovecot -F
