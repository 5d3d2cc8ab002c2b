#!/bin/bash
# Run once by the postgres image on an empty data directory: three databases, three roles, nobody in another's.
set -euo pipefail

: "${TEMPORAL_DB_PASSWORD:?}" "${SENDOFF_OWNER_PASSWORD:?}" "${SENDOFF_APP_PASSWORD:?}"

# psql reads the passwords from the environment itself, so they appear in no process list.
psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --no-psqlrc -v ON_ERROR_STOP=1 <<'SQL'
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv owner_password SENDOFF_OWNER_PASSWORD
\getenv app_password SENDOFF_APP_PASSWORD
SET log_statement = 'none';
SET log_min_error_statement = 'panic';

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE sendoff_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE sendoff_app LOGIN PASSWORD :'app_password';

CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE sendoff OWNER sendoff_owner;
REVOKE ALL ON DATABASE temporal, temporal_visibility, sendoff FROM PUBLIC;
GRANT CONNECT ON DATABASE sendoff TO sendoff_app;
SQL
