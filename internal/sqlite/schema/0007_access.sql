-- What a grant gives commands besides, as JSON: folders of tools, domains, .env files.
ALTER TABLE yolo_grants ADD COLUMN access TEXT NOT NULL DEFAULT '{}';
ALTER TABLE command_requests ADD COLUMN access TEXT NOT NULL DEFAULT '{}';
