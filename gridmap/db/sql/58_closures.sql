-- Closed roads: what the routing needs of all of them, and their tiles.

-- Everybody's way is stopped by a closed road, whoever answers for it: its shape and whom it stops cross every border;
-- why it is closed and who closed it do not.
CREATE OR REPLACE FUNCTION closures_at(at timestamptz)
RETURNS TABLE (id uuid, modes text[], blocked bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT c.id, c.modes, ST_AsBinary(c.blocked) FROM closure c
  WHERE app_known() AND c.starts_at <= at AND c.ended_at IS NULL AND (c.ends_at IS NULL OR at < c.ends_at)
  ORDER BY c.id
$$;

-- The tiles of what is closed now or will be; `planned` tells which.
CREATE OR REPLACE FUNCTION tile_closures(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  roots ltree[] := app_roots('map_paths');
  tile geometry := ST_TileEnvelope(z, x, y);
  margin geometry := ST_Transform(ST_TileEnvelope(z, x, y, margin => 64.0 / 4096), 4326);
BEGIN
  IF NOT app_known() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'closures', 4096, 'geom'), count(*), count(*), false INTO answer
  FROM (
    SELECT c.id::text AS id, c.reason, array_to_string(c.modes, ',') AS modes, c.starts_at > app_now() AS planned,
           c.starts_at::text AS starts_at, c.ends_at::text AS ends_at,
           ST_AsMVTGeom(ST_Transform(c.blocked, 3857), tile, 4096, 64, true) AS geom
    FROM closure c
    WHERE c.ended_at IS NULL AND (c.ends_at IS NULL OR c.ends_at > app_now())
      AND c.scope_path <@ ANY (roots) AND c.blocked && margin
    ORDER BY c.id LIMIT tile_most_rows()) AS t;
  answer.mvt := coalesce(answer.mvt, '');
  RETURN answer;
END $$;

-- A changed closure changes the layer, in the transaction that changed it.
CREATE OR REPLACE FUNCTION closure_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE now_version bigint;
BEGIN
  INSERT INTO layer_version (layer, version, changed_at) VALUES ('closures', 1, app_now())
  ON CONFLICT (layer) DO UPDATE SET version = layer_version.version + 1, changed_at = app_now()
  RETURNING version INTO now_version;
  INSERT INTO outbox (topic, body, path)
  VALUES ('layer_changed', jsonb_build_object('layer', 'closures', 'version', now_version), ''::ltree);
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS closure_changed ON closure;
CREATE TRIGGER closure_changed AFTER INSERT OR UPDATE ON closure FOR EACH ROW EXECUTE FUNCTION closure_changed();
