-- Which imports everything follows that a server stored (imports_mark()). What one that died stored
-- before it heard of an import, somebody else has to match.
ALTER TABLE nodes ADD COLUMN imports bigint;
