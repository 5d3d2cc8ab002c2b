#!/bin/sh
# Creates sendoff's namespace, or brings its retention to the wanted value; a second run changes nothing.
# temporal reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE itself.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"

# retry runs a command until it succeeds, for two minutes at most, and shows what it said if it never did.
retry() {
	attempt=1
	until said=$("$@" 2>&1); do
		if [ "$attempt" -ge 60 ]; then
			echo "gave up after $attempt attempts: $*: $said" >&2
			return 1
		fi
		attempt=$((attempt + 1))
		sleep 2
	done
}

# A server that answers its health check may still be electing shards.
retry temporal operator cluster health

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
	# Each host caches namespaces for some seconds, so a new one may not be found at first.
	retry temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
	retry temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# Done only when the namespace can be used: the server and the worker start right after this job.
retry temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1
echo "namespace $TEMPORAL_NAMESPACE is ready, retention $RETENTION"
