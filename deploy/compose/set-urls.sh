#!/bin/sh
# set-urls.sh FROM TO copies the rules from the folder FROM to TO, and writes into their annotations GRAFANA_URL, the address
# of Grafana, and RUNBOOKS_URL, the address of the files of docs/runbooks.
set -eu
for file in "$1"/*.yaml; do
    sed -e "s|https://grafana\.example\.org|$GRAFANA_URL|g" \
        -e "s|https://runbooks\.example\.org/\(Imap[A-Za-z]*\)|$RUNBOOKS_URL/\1.md|g" "$file" >"$2/${file##*/}"
done
