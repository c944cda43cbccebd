-- Sessions a to z, where tables knew a and b. Only CHECKs change, and no row is
-- written anew: a store of a million messages is migrated at once.
-- https://www.sqlite.org/lang_altertable.html#otheralter
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (session IN (''a'', ''b''))', 'CHECK (session GLOB ''[a-z]'')')
    WHERE type = 'table' AND name IN ('session_status', 'yolo_modes', 'command_requests');
UPDATE sqlite_schema SET sql = replace(replace(sql,
    'CHECK (recipient IN (''a'', ''b''))', 'CHECK (recipient GLOB ''[a-z]'')'),
    'CHECK (sender IN (''a'', ''b'', ''system''))', 'CHECK (sender GLOB ''[a-z]'' OR sender = ''system'')')
    WHERE type = 'table' AND name = 'messages';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (actor IN (''a'', ''b'', ''system'', ''operator''))', 'CHECK (actor GLOB ''[a-z]'' OR actor IN (''system'', ''operator''))')
    WHERE type = 'table' AND name = 'task_events';
PRAGMA writable_schema = RESET;
-- Other connections learn of a changed schema by its number, which these raise.
CREATE TABLE renumber (one INTEGER);
DROP TABLE renumber;
