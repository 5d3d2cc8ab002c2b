-- +goose Up

-- Where reading of a connection's events is.
CREATE TABLE activity_feed (
    connection_id     uuid NOT NULL REFERENCES connection,
    source            text NOT NULL,
    live              text NOT NULL DEFAULT '', -- position, as the vendor writes it
    live_at           timestamptz,
    backfill_from     timestamptz,
    backfill_to       timestamptz,
    backfill_position text NOT NULL DEFAULT '',
    events            bigint NOT NULL DEFAULT 0,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (connection_id, source)
);
-- Spans of time for which every event is known; between two of them is a hole.
CREATE TABLE activity_interval (
    connection_id uuid NOT NULL REFERENCES connection,
    source        text NOT NULL,
    from_at       timestamptz NOT NULL,
    to_at         timestamptz NOT NULL CHECK (to_at >= from_at),
    PRIMARY KEY (connection_id, source, from_at)
);
-- The order in which a connection's sources are believed; none = its own feed alone.
CREATE TABLE activity_source (
    connection_id uuid NOT NULL REFERENCES connection,
    rank          int NOT NULL,
    source        text NOT NULL,
    PRIMARY KEY (connection_id, rank),
    UNIQUE (connection_id, source)
);
CREATE TABLE account_activity (
    connection_id   uuid NOT NULL REFERENCES connection,
    external_id     text NOT NULL,
    source          text NOT NULL,
    first_active_at timestamptz NOT NULL,
    last_active_at  timestamptz NOT NULL,
    last_event      text NOT NULL,
    PRIMARY KEY (connection_id, external_id, source)
) WITH (fillfactor = 80); -- each page of events changes rows in place
-- One row per account and day of use (UTC).
CREATE TABLE activity_day (
    connection_id uuid NOT NULL REFERENCES connection,
    source        text NOT NULL,
    day           date NOT NULL,
    external_id   text NOT NULL,
    events        int NOT NULL,
    PRIMARY KEY (connection_id, source, day, external_id)
) WITH (fillfactor = 90);
-- Events of the last 15 days, to know one that comes again.
CREATE TABLE activity_event (
    day           date NOT NULL, -- of the event, UTC
    connection_id uuid NOT NULL,
    source        text NOT NULL, -- ids are unique within one
    event_id      text NOT NULL,
    PRIMARY KEY (day, connection_id, source, event_id)
) PARTITION BY RANGE (day);
-- Who the vendor says was deleted.
CREATE TABLE vendor_deletion (
    connection_id uuid NOT NULL REFERENCES connection,
    external_id   text NOT NULL,
    event_id      text NOT NULL,
    deleted_at    timestamptz NOT NULL,
    deleted_by    text NOT NULL, -- the vendor's id; '' = it does not say
    PRIMARY KEY (connection_id, external_id, event_id)
);

-- Use that was seen before the account was: it counts from the account's first row.
-- +goose StatementBegin
CREATE FUNCTION account_prior_activity() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE account a SET last_active_at = u.last_active_at, last_event = u.last_event, last_source = u.source
    FROM (SELECT DISTINCT ON (n.id) n.id, aa.last_active_at, aa.last_event, aa.source
        FROM fresh n
        JOIN account_activity aa ON aa.connection_id = n.connection_id AND aa.external_id = n.external_id
        WHERE activity_counts(n.connection_id, aa.source)
        ORDER BY n.id, aa.last_active_at DESC, aa.last_event COLLATE "C" DESC, aa.source COLLATE "C" DESC) AS u
    WHERE a.id = u.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- Whether a source counts for a connection: one that is declared, or where none is
-- its own feed.
CREATE FUNCTION activity_counts(connection uuid, name text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM activity_source s WHERE s.connection_id = connection AND s.source = name)
        OR NOT EXISTS (SELECT FROM activity_source s WHERE s.connection_id = connection)
            AND EXISTS (SELECT FROM activity_feed f WHERE f.connection_id = connection AND f.source = name AND f.live <> '')
$$;
CREATE TRIGGER account_prior_activity AFTER INSERT ON account
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION account_prior_activity();

-- The application may not make or drop tables; these it may ask for.
-- +goose StatementBegin
CREATE FUNCTION activity_partitions(today date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    d date;
    old record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('activity_partitions', 0));
    FOR d IN SELECT generate_series(today - 15, today + 2, interval '1 day')::date LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS activity_event_%s PARTITION OF activity_event FOR VALUES FROM (%L) TO (%L)',
            to_char(d, 'YYYYMMDD'), d, d + 1);
    END LOOP;
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'activity_event'::regclass
          AND c.relname < 'activity_event_' || to_char(today - 15, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', old.relname);
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION activity_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION activity_partitions(date) TO sendoff_app;
GRANT SELECT, INSERT ON activity_event, vendor_deletion TO sendoff_app;
GRANT SELECT, INSERT, UPDATE ON activity_feed, account_activity, activity_day TO sendoff_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON activity_interval, activity_source TO sendoff_app;
