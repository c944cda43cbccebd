-- The digest of a requested command is keyed by now. One that is not lets whoever has the
-- database try guesses of the command against it, also where texts are encrypted: each is
-- overwritten where it is, and is not one that fits anything.
UPDATE command_requests SET digest = zeroblob(length(digest));
-- What could still run would not fit, and is to be asked for again.
UPDATE command_requests SET state = 'cancelled' WHERE state IN ('pending', 'approved');
