#!/bin/sh
# Brings Temporal's two schemas to the version of this image. Runs before the server at every start; a second run
# finds nothing to do. SQL_PASSWORD is read by temporal-sql-tool itself.
set -eu

: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"
export SQL_HOST SQL_USER SQL_PASSWORD

migrate() {
	database=$1
	directory=$2
	tool="temporal-sql-tool --plugin postgres12 --endpoint $SQL_HOST --port 5432 --user $SQL_USER --database $database"
	$tool setup-schema --version 0.0
	$tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$directory/versioned"
}

migrate temporal temporal
migrate temporal_visibility visibility
echo "Temporal schemas are up to date"
