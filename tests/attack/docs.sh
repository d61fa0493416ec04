#!/bin/sh
# Does the document hold the table's own summary?  docs.sh TABLE DOCUMENT
set -eu
"$1" --summary | while IFS= read -r line; do
    grep -qxF -- "$line" "$2" || {
        echo "$2 lacks: $line"
        exit 1
    }
done
