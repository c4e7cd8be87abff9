#!/bin/sh
# Runs Courier in the foreground: what `authdaemond start`, `imapd start` and `imapd-ssl start` do when they go to the background.
set -ae
mkdir -p /run/courier/authdaemon /srv/mail
cat /etc/ssl/realtest/key.pem /etc/ssl/realtest/cert.pem >/etc/courier/imapd.pem
chown courier /etc/courier/imapd.pem

touch /etc/courier/userdb
chmod 600 /etc/courier/userdb
user() {
    mkdir "/srv/mail/$1"
    maildirmake "/srv/mail/$1/Maildir"
    userdb "$1" set uid=8 gid=8 home="/srv/mail/$1" shell=/bin/false
    echo "$2" | userdbpw -md5 | userdb "$1" set systempw
}
user alice '@ALICE_PASSWORD@'
user bob '@BOB_PASSWORD@'
maildirmake -q 10485760S,1000C /srv/mail/alice/Maildir
makeuserdb
chown -R mail:mail /srv/mail

sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc # It reads the file itself, too.
. /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &
until [ -S /run/courier/authdaemon/socket ]; do sleep 0.02; done # A login without it is an error, not a wait.

. /etc/courier/imapd-ssl
. /etc/courier/imapd
install -o courier -g courier -m 600 /dev/null "$TLS_CACHEFILE"
IMAP_CAPABILITY="$IMAP_CAPABILITY AUTH=PLAIN"
listen="-address=127.0.0.1 -maxprocs=200 -maxperip=200 -nodnslookup -noidentlookup"
login="/usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir"
IMAP_STARTTLS=YES couriertcpd $listen @PLAIN_PORT@ $login &
IMAP_TLS=1 couriertcpd $listen @TLS_PORT@ /usr/bin/couriertls -server -tcpd -user=courier $login &
wait
