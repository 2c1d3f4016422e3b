#!/bin/sh
# Writes .env from .env.example, with random secrets for what is ours to choose, where there is none.
# One that is there already stays as it is.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
  echo '.env is there already: nothing changed'
  exit 0
fi
umask 077
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
postgres=$(secret)
redis=$(secret)
sed -e "s/^ADMIN_TOKEN=.*/ADMIN_TOKEN=$(secret)/" \
  -e "s/^ENCRYPTION_KEY=.*/ENCRYPTION_KEY=$(secret)/" \
  -e "s/^POSTGRES_PASSWORD=.*/POSTGRES_PASSWORD=$postgres/" \
  -e "s/^REDIS_PASSWORD=.*/REDIS_PASSWORD=$redis/" \
  -e "/^#*[A-Z_]*URL=/s/:POSTGRES_PASSWORD@/:$postgres@/" \
  -e "/^#*[A-Z_]*URL=/s/:REDIS_PASSWORD@/:$redis@/" .env.example > .env.new
mv .env.new .env
echo 'Wrote .env with new secrets. ADMIN_TOKEN in it is the first API key.'
