#!/bin/sh
# set-urls.sh FROM TO: copies the rules in the folder FROM to TO, with GRAFANA_URL and RUNBOOKS_URL in their annotations:
# where Grafana is, and where the files of docs/runbooks can be read.
set -eu
for file in "$1"/*.yaml; do
    sed -e "s|https://grafana\.example\.org|$GRAFANA_URL|g" \
        -e "s|https://runbooks\.example\.org/\(Imap[A-Za-z]*\)|$RUNBOOKS_URL/\1.md|g" "$file" >"$2/${file##*/}"
done
