-- The digest of a requested command is keyed by now. One that is not lets whoever has the
-- database try guesses of the command against it, also where texts are encrypted: each is
-- replaced by one that does not fit anything. What could still run is to be asked for again.
UPDATE command_requests SET
    digest = decode(repeat('00', length(digest)), 'hex'),
    state = CASE WHEN state IN ('pending', 'approved') THEN 'cancelled' ELSE state END;
