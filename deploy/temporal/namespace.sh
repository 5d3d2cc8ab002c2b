#!/bin/sh
# Creates sendoff's namespace, or brings its retention to the wanted value; a second run changes nothing.
# temporal reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE itself.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"

# A server that answers its health check may still be electing shards; give it two minutes.
attempt=1
until temporal operator cluster health >/dev/null; do
	if [ "$attempt" -ge 24 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS is not healthy after $attempt attempts" >&2
		exit 1
	fi
	attempt=$((attempt + 1))
	sleep 5
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
	temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
	echo "namespace $TEMPORAL_NAMESPACE exists, retention $RETENTION"
else
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
	echo "namespace $TEMPORAL_NAMESPACE created, retention $RETENTION"
fi
