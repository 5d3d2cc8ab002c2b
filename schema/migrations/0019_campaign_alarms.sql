-- +goose Up

-- Which campaign an alarm is of: several of one access review may have their own.
ALTER TABLE alarm ADD COLUMN campaign_id uuid REFERENCES campaign;

UPDATE alarm a SET campaign_id = c.id FROM campaign c
WHERE a.cleared_at IS NULL AND c.review_id = a.access_review_id
    AND (a.code = 'CAMPAIGN_FAILED' AND starts_with(a.message, 'campaign ' || c.id || ' cannot go on')
        OR a.code = 'OVER_BUDGET' AND a.fix LIKE '%sendoff review show ' || c.id || ';%');

-- That a campaign did not begin had the code of one that cannot go on.
UPDATE alarm SET code = 'CAMPAIGN_NOT_BEGUN' WHERE code = 'CAMPAIGN_FAILED' AND starts_with(message, 'the campaign of ');

DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (connection_id, source_id, policy_id, access_review_id, campaign_id, code) NULLS NOT DISTINCT WHERE cleared_at IS NULL;

-- Of several held campaigns of a review one had the alarm for all.
INSERT INTO alarm (id, access_review_id, campaign_id, code, message, fix, raised_at)
SELECT gen_random_uuid(), c.review_id, c.id, 'OVER_BUDGET',
    'a campaign of ' || r.name || ' would remove access of ' || b.size || ' accounts and is over budget: none of them starts',
    'look at it with sendoff review show ' || c.id || '; two people release batch ' || b.id || ', one discards it', b.created_at
FROM campaign c JOIN batch b ON b.id = c.batch_id AND b.state = 'held' JOIN access_review r ON r.id = c.review_id
ON CONFLICT DO NOTHING;
