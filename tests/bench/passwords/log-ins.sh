#!/usr/bin/env bash
# A thousand log-ins over HTTP at the whole local portal, and its resident memory before and after them. From
# fifty addresses, as one address gets thirty a minute.
set -euo pipefail
cd "$(dirname "$0")/../../.."

folder=$(mktemp -d)
"${CARGO_TARGET_DIR:-target}/debug/local" --port 0 --data "$folder/data" >"$folder/said" &
portal=$!
trap 'kill $portal; wait $portal || true; rm -r "$folder"' EXIT
until api=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$folder/said" | head -1) && [ "$api" ]; do sleep 0.1; done

call() { curl -sS -H 'content-type: application/json' "$@"; }
field() { sed -E "s/.*\"$1\":\"?([^\",}]*).*/\1/"; }
resident() { awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$portal/status"; }

email=jeanne@martin.example password='truelle béton mésange 41'
terms=$(call "$api/api/documents/terms")
call "$api/api/signup" -o "$folder/answer" -d '{
  "siret": "533 846 150 00019", "civility": "mme", "last_name": "MARTIN", "first_name": "Jeanne",
  "job_title": "Comptable", "email": "'$email'", "email_confirmation": "'$email'",
  "terms": {"version": '"$(echo "$terms" | field version)"', "sha256": "'"$(echo "$terms" | field sha256)"'"}
}'
until token=$(call "$api/_local/mail.json" | grep -oE 'mot-de-passe#[A-Za-z0-9_-]+' | tail -1 | cut -d'#' -f2) && [ "$token" ]; do sleep 0.2; done

# Before the first hash of all, as its memory is kept.
before=$(resident)
call "$api/api/password" -d '{"token": "'"$token"'", "password": "'"$password"'", "password_confirmation": "'"$password"'"}'
for address in {2..51}; do
    for _ in {1..20}; do
        call --interface "127.0.0.$address" -o "$folder/answer" -w '%{http_code}\n' "$api/api/sessions" \
            -d '{"email": "'$email'", "password": "'"$password"'"}'
    done
done >"$folder/codes"
after=$(resident)

right=$(grep -c '^200$' "$folder/codes")
echo "the local portal: $before MiB before $right log-ins, $after MiB after: $((after - before)) MiB more"
[ "$right" = 1000 ] && [ $((after - before)) -le 30 ]
