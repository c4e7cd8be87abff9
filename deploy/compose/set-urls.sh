#!/bin/sh
# set-urls.sh FROM TO: copies the rules in the folder FROM to TO, with GRAFANA_URL and RUNBOOKS_URL for the two addresses
# that stand in their annotations.
set -eu
for file in "$1"/*.yaml; do
    sed -e "s|https://grafana\.example\.org|$GRAFANA_URL|g" -e "s|https://runbooks\.example\.org|$RUNBOOKS_URL|g" \
        "$file" >"$2/${file##*/}"
done
