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
