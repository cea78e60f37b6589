-- Boxes and text search past row-level security, by the very rule of each table's policy and through its indexes.
-- Restricted incidents are found by those they are shared with, and by nobody else. Each answer is ordered and has a
-- ceiling; `most` + 1 rows tell the caller that it bites.

-- lon, lat in degrees. A box that crosses the antimeridian is not known here.
CREATE OR REPLACE FUNCTION box_3857(west float8, south float8, east float8, north float8) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ST_Transform(ST_MakeEnvelope(west, greatest(south, -85), east, least(north, 85), 4326), 3857) $$;

CREATE OR REPLACE FUNCTION units_in_box(west float8, south float8, east float8, north float8, statuses text[], most int)
RETURNS TABLE (id uuid, call_sign text, kind text, mode text, status text, lon float8, lat float8, fixed_at timestamptz,
  accuracy_m float8, speed_mps float8, heading_deg float8, area_id int, path text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := CASE WHEN app_can('unit.read') THEN app_roots('map_paths') ELSE '{}' END;
  own uuid[] := app_units();
  box geometry := ST_MakeEnvelope(west, south, east, north, 4326);
BEGIN
  RETURN QUERY
    SELECT u.id, u.call_sign, u.kind, u.mode, u.status, ST_X(l.geom), ST_Y(l.geom), l.fixed_at,
           l.accuracy_m, l.speed_mps, l.heading_deg, l.area_id, u.scope_path::text
    FROM unit_latest l JOIN unit u ON u.id = l.unit_id
    WHERE l.geom && box
      AND (u.id = ANY (own) OR u.scope_path <@ ANY (roots))
      AND (statuses IS NULL OR u.status = ANY (statuses))
    ORDER BY u.call_sign, u.id
    LIMIT most + 1;
END $$;

-- Open work first, then the newest.
CREATE OR REPLACE FUNCTION incidents_in_box(west float8, south float8, east float8, north float8,
  classes text[], statuses text[], since timestamptz, until timestamptz, most int)
RETURNS SETOF incident
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('case_paths');
  shared uuid[] := app_shared_incidents();
  hidden uuid[] := hidden_batches();
  box geometry := box_3857(west, south, east, north);
BEGIN
  RETURN QUERY
    SELECT i.* FROM incident i
    WHERE i.geom_3857 && box
      AND (((i.scope_path || ''::ltree) <@ ANY (roots) AND NOT i.restricted) OR i.id = ANY (shared))
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
      AND (classes IS NULL OR i.class_key = ANY (classes)) AND (statuses IS NULL OR i.status = ANY (statuses))
      AND (since IS NULL OR i.reported_at >= since) AND (until IS NULL OR i.reported_at < until)
    ORDER BY (i.status = 'closed'), i.reported_at DESC, i.id
    LIMIT most + 1;
END $$;

CREATE OR REPLACE FUNCTION cameras_in_box(west float8, south float8, east float8, north float8,
  classes text[], statuses text[], most int)
RETURNS SETOF camera
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := CASE WHEN app_can('camera.read') THEN app_roots('map_paths') ELSE '{}' END;
  hidden uuid[] := hidden_batches();
  box geometry := box_3857(west, south, east, north);
BEGIN
  RETURN QUERY
    SELECT c.* FROM camera_rows(box, roots, hidden, classes, statuses) c ORDER BY c.name, c.id LIMIT most + 1;
END $$;

-- The text that begins with `given`, as a range of an index in code-point order.
CREATE OR REPLACE FUNCTION after_prefix(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT given || chr(1114111) $$;

CREATE OR REPLACE FUNCTION like_pattern(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT '%' || replace(replace(replace(given, '\', '\\'), '%', '\%'), '_', '\_') || '%' $$;

-- By number (its beginning), then by words of the title or address among the newest 20,000 of the whole country: older
-- ones are found by number, or by place in the gazetteer.
CREATE OR REPLACE FUNCTION search_incidents(q text, most int)
RETURNS SETOF incident
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := app_roots('case_paths');
  shared uuid[] := app_shared_incidents();
  hidden uuid[] := hidden_batches();
  given text := btrim(left(q, 200));
  found_rows int;
BEGIN
  IF given = '' OR (roots = '{}' AND shared = '{}') THEN RETURN; END IF;
  RETURN QUERY
    SELECT i.* FROM incident i
    WHERE i.number >= upper(given) AND i.number < after_prefix(upper(given))
      AND (((i.scope_path || ''::ltree) <@ ANY (roots) AND NOT i.restricted) OR i.id = ANY (shared))
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    ORDER BY i.number LIMIT most;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows > 0 THEN RETURN; END IF;
  RETURN QUERY
    SELECT i.* FROM (SELECT * FROM incident ORDER BY reported_at DESC, incident.id DESC LIMIT 20000) i
    WHERE (i.title ILIKE like_pattern(given) OR i.address ILIKE like_pattern(given))
      AND ((i.scope_path <@ ANY (roots) AND NOT i.restricted) OR i.id = ANY (shared))
      AND (i.batch_id IS NULL OR i.batch_id <> ALL (hidden))
    ORDER BY (i.status = 'closed'), i.reported_at DESC, i.id LIMIT most;
END $$;

-- By code (its beginning) or a part of the name.
CREATE OR REPLACE FUNCTION search_cameras(q text, most int)
RETURNS SETOF camera
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE
  roots ltree[] := CASE WHEN app_can('camera.read') THEN app_roots('map_paths') ELSE '{}' END;
  hidden uuid[] := hidden_batches();
  given text := btrim(left(q, 200));
BEGIN
  IF given = '' OR roots = '{}' THEN RETURN; END IF;
  RETURN QUERY
    SELECT c.* FROM camera c
    WHERE c.id IN (SELECT k.id FROM camera k WHERE k.code >= given AND k.code < after_prefix(given)
                   UNION SELECT m.id FROM camera m WHERE m.name ILIKE like_pattern(given))
      AND c.withdrawn_at IS NULL
      AND c.scope_path <@ ANY (roots)
      AND (c.batch_id IS NULL OR c.batch_id <> ALL (hidden))
    ORDER BY (c.code = given) DESC NULLS LAST, c.name, c.id LIMIT most;
END $$;
