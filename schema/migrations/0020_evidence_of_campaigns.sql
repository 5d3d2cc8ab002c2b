-- +goose Up

-- By how much a batch was over which limits; empty = of a batch that ended before this
-- was kept. When the decisions were taken that it ended by; null = of one that is held,
-- that nobody ended, or that ended before this was kept.
ALTER TABLE batch ADD COLUMN overruns jsonb NOT NULL DEFAULT '[]', ADD COLUMN counted timestamptz[];
UPDATE batch b SET overruns = c.overruns FROM campaign c WHERE c.batch_id = b.id AND b.state = 'held';
CREATE INDEX batch_of ON batch (scope, scope_id, created_at, id);

-- Every second look; which one counts is told by campaign_reviewer.
CREATE TABLE campaign_look (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign,
    reviewer_id uuid NOT NULL REFERENCES person,
    look_by     text NOT NULL,
    look_id     uuid,
    at          timestamptz NOT NULL,
    reason      text NOT NULL,
    decisions   int NOT NULL, -- how many it was at
    redo        boolean NOT NULL,
    redone      int NOT NULL -- how many items it gave to others
);
CREATE INDEX campaign_look_list ON campaign_look (campaign_id, id);
GRANT SELECT, INSERT ON campaign_look TO sendoff_app;

-- The audit log tells of those that were taken so far.
INSERT INTO campaign_look (campaign_id, reviewer_id, look_by, look_id, at, reason, decisions, redo, redone)
SELECT c.id, (e.body->'details'->>'reviewer')::uuid, e.body->'actor'->>'name', (e.body->'actor'->>'id')::uuid,
    (e.body->>'at')::timestamptz, e.body->'details'->>'reason', (e.body->'details'->>'decisions')::int,
    e.body->'details'->>'redone' <> '0', (e.body->'details'->>'redone')::int
FROM campaign c
CROSS JOIN LATERAL (SELECT r.seq, convert_from(r.body, 'UTF8')::json AS body FROM audit_record r WHERE r.stream = 'campaign/' || c.id) e
WHERE e.body->>'action' = 'campaign.second_look' ORDER BY c.id, e.seq;

-- The order in which decisions were taken: two of one call have the same instant. Of
-- those so far it is that of their records.
ALTER TABLE campaign_decision ADD COLUMN seq bigint;
UPDATE campaign_decision d SET seq = o.n
FROM (SELECT d.id, row_number() OVER (ORDER BY d.decided_at, e.seq, d.current, d.id) AS n
    FROM campaign_decision d
    LEFT JOIN (SELECT r.seq, x.campaign_id, convert_from(r.body, 'UTF8')::json->'subject'->>'decision_id' AS id
        FROM (SELECT DISTINCT campaign_id, reviewer_id FROM campaign_decision) x
        JOIN audit_record r ON r.stream = 'campaign/' || x.campaign_id || ':' || x.reviewer_id) e
    ON e.campaign_id = d.campaign_id AND e.id = d.id::text) o
WHERE d.id = o.id;
ALTER TABLE campaign_decision ALTER COLUMN seq SET NOT NULL, ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('campaign_decision', 'seq'), (SELECT coalesce(max(seq), 0) + 1 FROM campaign_decision), false);
DROP INDEX campaign_decision_item;
CREATE INDEX campaign_decision_item ON campaign_decision (item_id, seq);
