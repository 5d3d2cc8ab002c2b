-- +goose Up

-- The trace that a row was written in (W3C Trace Context, traceparent), so that
-- what the row sets off is found with what caused it. Null = nobody traced.
ALTER TABLE outbox ADD COLUMN traceparent text;
