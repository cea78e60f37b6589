-- Fences: the tile, past row-level security by the very rule of the policy in 20_policies.sql, and the number that tells
-- the screens and the positions processes that some fence changed. A fence of a restricted incident is in no tile.

CREATE OR REPLACE FUNCTION tile_fences(z int, x int, y int, classes text[] DEFAULT NULL, statuses text[] DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS tile_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
  answer tile_answer := (''::bytea, 0, 0, false);
  roots ltree[] := app_roots('map_paths');
  case_roots ltree[] := app_roots('case_paths');
  shared uuid[] := app_shared_incidents();
  tile geometry := ST_TileEnvelope(z, x, y);
  margin geometry := ST_TileEnvelope(z, x, y, margin => 64.0 / 4096);
  pixel_m float8 := 40075016.685578488 / 2 ^ z / 1024;
BEGIN
  IF NOT app_can('fence.read') OR roots = '{}' THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'fences', 4096, 'geom'), count(*), count(*), false INTO answer
  FROM (
    SELECT f.id::text AS id, f.name, f.kind, f.purpose, f.drill,
           ST_AsMVTGeom(ST_Simplify(ST_ClipByBox2D(f.geom_3857, margin), CASE WHEN z < 14 THEN pixel_m / 2 ELSE 0 END),
                        tile, 4096, 64, true) AS geom
    FROM fence f LEFT JOIN incident i ON i.id = f.incident_id
    WHERE f.geom_3857 && margin AND f.archived_at IS NULL AND (f.expires_at IS NULL OR f.expires_at > app_now())
      AND (f.scope_path || ''::ltree) <@ ANY (roots)
      AND (f.incident_id IS NULL OR (NOT i.restricted AND ((i.scope_path || ''::ltree) <@ ANY (case_roots) OR i.id = ANY (shared))))
      AND (classes IS NULL OR f.purpose = ANY (classes))
    ORDER BY ST_Area(f.geom_3857) DESC
    LIMIT tile_most_rows() + 1) AS t;
  IF answer.shown <= tile_most_rows() AND octet_length(answer.mvt) <= tile_most_bytes() THEN RETURN answer; END IF;
  SELECT ST_AsMVT(t, 'fences', 4096, 'geom'), count(*), coalesce(sum(t.n), 0), true INTO answer
  FROM (
    SELECT count(*)::int AS n, true AS thinned, tile_place(tile, avg(ST_X(p.at)), avg(ST_Y(p.at))) AS geom
    FROM (SELECT ST_PointOnSurface(f.geom_3857) AS at
          FROM fence f LEFT JOIN incident i ON i.id = f.incident_id
          WHERE f.geom_3857 && tile AND f.archived_at IS NULL AND (f.expires_at IS NULL OR f.expires_at > app_now())
            AND (f.scope_path || ''::ltree) <@ ANY (roots)
            AND (f.incident_id IS NULL OR (NOT i.restricted AND ((i.scope_path || ''::ltree) <@ ANY (case_roots) OR i.id = ANY (shared))))
            AND (classes IS NULL OR f.purpose = ANY (classes))) AS p
    WHERE tile_owns(tile, p.at)
    GROUP BY tile_cell_of(tile, p.at)) AS t;
  RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION fence_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE now_version bigint;
BEGIN
  INSERT INTO layer_version (layer, version, changed_at) VALUES ('fences', 1, app_now())
  ON CONFLICT (layer) DO UPDATE SET version = layer_version.version + 1, changed_at = excluded.changed_at
  RETURNING version INTO now_version;
  INSERT INTO outbox (topic, body, path)
  VALUES ('layer_changed', jsonb_build_object('layer', 'fences', 'version', now_version), ''::ltree);
  RETURN NULL;
END $$;

-- At the commit: the one row that all changes share is then held for a moment only, and after every other lock.
DROP TRIGGER IF EXISTS fence_changed ON fence;
CREATE CONSTRAINT TRIGGER fence_changed AFTER INSERT OR UPDATE ON fence DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION fence_changed();

-- Whether the book of fences in memory is still the right one: the changes of fences, the sets of areas, and the borders
-- that came into force by their date.
CREATE OR REPLACE FUNCTION fence_book_version() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT tile_version('fences') || '-' || coalesce(
    (SELECT extract(epoch FROM max(lower(v.valid))) FROM area_version v
     WHERE v.is_leaf AND lower(v.valid) <= app_now()), 0)::text
$$;
