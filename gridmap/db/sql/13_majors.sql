-- How many members of a major event are still open, also those that lie out of the actor's sight: only a number.
CREATE OR REPLACE FUNCTION major_open_members(major uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT count(*) FROM incident i WHERE i.major_id = major AND i.status <> 'closed' $$;
