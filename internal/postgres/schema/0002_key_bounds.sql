-- The conversations in which the holder of a key may act: their ids, as a
-- list in JSON. An empty one stands for all.
ALTER TABLE access_keys ADD COLUMN conversations text NOT NULL DEFAULT '[]';
