-- Which of the ids of a millisecond a server gives out (NumberIds::keep_to): servers that share a
-- database give each other's otherwise, and what repeats one is refused and has to be sent again.
ALTER TABLE nodes ADD COLUMN place bigint;
