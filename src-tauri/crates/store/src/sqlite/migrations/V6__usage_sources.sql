-- Reports of several sources meet on the provider's request id.
ALTER TABLE usage ADD COLUMN request_id TEXT;
ALTER TABLE usage ADD COLUMN sources INTEGER NOT NULL DEFAULT 0;
UPDATE usage SET sources = source;
UPDATE usage SET request_id = substr(key, instr(key, ':') + 1) WHERE agent = 'claude-code' AND key LIKE 'msg\_%:req\_%' ESCAPE '\';

CREATE INDEX usage_request ON usage (request_id) WHERE request_id IS NOT NULL;
