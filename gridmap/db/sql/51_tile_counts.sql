-- What is counted, and how a change reaches the counts: triggers write what came and what left, in the transaction that
-- did it; the worker adds it up (gridmap/services/tile_counts.py).
-- Restricted incidents, drills, rows without a place and rows of a hidden batch are in no count and in no tile.

DO $do$
DECLARE
  noun record;
  hidden_now text := '(SELECT hidden_batches())::uuid[]';
  -- One row per countable point of %1$s, a table or a trigger's set of changed rows; %2$s are the hidden batches.
  camera_rows text := $sql$
    SELECT 'cameras'::text AS layer, tile_x(r.geom_3857) AS x, tile_y(r.geom_3857) AS y, r.scope_path AS path,
           r.kind AS class_key, r.status, 0::smallint AS month
    FROM %1$s r WHERE r.withdrawn_at IS NULL AND (r.batch_id IS NULL OR r.batch_id <> ALL (%2$s))$sql$;
  incident_rows text := $sql$
    SELECT 'incidents'::text AS layer, tile_x(r.geom_3857) AS x, tile_y(r.geom_3857) AS y, r.scope_path AS path,
           r.class_key, r.status, tile_month(r.reported_at) AS month
    FROM %1$s r WHERE r.geom_3857 IS NOT NULL AND NOT r.restricted AND NOT r.drill
                  AND (r.batch_id IS NULL OR r.batch_id <> ALL (%2$s))$sql$;
  feature_rows text := $sql$
    SELECT r.layer, tile_x(ST_PointOnSurface(r.geom_3857)) AS x, tile_y(ST_PointOnSurface(r.geom_3857)) AS y,
           r.scope_path AS path, ''::text AS class_key, ''::text AS status, 0::smallint AS month
    FROM %1$s r WHERE r.withdrawn_at IS NULL AND NOT ST_IsEmpty(r.geom_3857)
                  AND (r.batch_id IS NULL OR r.batch_id <> ALL (%2$s))$sql$;
BEGIN
  FOR noun IN SELECT * FROM (VALUES ('camera', '''cameras''', camera_rows), ('incident', '''incidents''', incident_rows),
                                    ('feature', 'r.layer', feature_rows)) AS n(tab, layer_sql, rows_sql)
  LOOP
    -- A statement that changed rows without moving a count still leaves a mark (n = 0): exact tiles changed.
    EXECUTE format(
      'CREATE OR REPLACE FUNCTION tile_note_%1$s() RETURNS trigger
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
       $f$
       DECLARE hidden uuid[] := hidden_batches();
       BEGIN
         IF TG_OP = ''INSERT'' THEN
           INSERT INTO tile_delta (layer, x, y, path, class_key, status, month, n)
           SELECT d.layer, d.x, d.y, d.path, d.class_key, d.status, d.month, count(*) FROM (%2$s) d GROUP BY 1, 2, 3, 4, 5, 6, 7;
         ELSIF TG_OP = ''DELETE'' THEN
           INSERT INTO tile_delta (layer, x, y, path, class_key, status, month, n)
           SELECT d.layer, d.x, d.y, d.path, d.class_key, d.status, d.month, -count(*) FROM (%3$s) d GROUP BY 1, 2, 3, 4, 5, 6, 7;
         ELSE
           INSERT INTO tile_delta (layer, x, y, path, class_key, status, month, n)
           SELECT d.layer, d.x, d.y, d.path, d.class_key, d.status, d.month, sum(d.n)
           FROM (SELECT *, 1 AS n FROM (%2$s) came UNION ALL SELECT *, -1 FROM (%3$s) gone) d
           GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(d.n) <> 0;
           INSERT INTO tile_delta (layer, n) SELECT DISTINCT %4$s, 0 FROM new_rows r
           WHERE r.batch_id IS NULL OR r.batch_id <> ALL (hidden);
         END IF;
         RETURN NULL;
       END $f$',
      noun.tab, format(noun.rows_sql, 'new_rows', 'hidden'), format(noun.rows_sql, 'old_rows', 'hidden'), noun.layer_sql);
    EXECUTE format('CREATE OR REPLACE TRIGGER tile_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION tile_note_%1$s()', noun.tab);
    EXECUTE format('CREATE OR REPLACE TRIGGER tile_update AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION tile_note_%1$s()', noun.tab);
    EXECUTE format('CREATE OR REPLACE TRIGGER tile_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS old_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION tile_note_%1$s()', noun.tab);
  END LOOP;

  -- Everything countable, for counting anew; read with the reader's own rights.
  EXECUTE format('CREATE OR REPLACE VIEW tile_point WITH (security_invoker = true) AS %s UNION ALL %s UNION ALL %s',
    format(camera_rows, 'camera', hidden_now), format(incident_rows, 'incident', hidden_now),
    format(feature_rows, 'feature', hidden_now));
END $do$;
REVOKE ALL ON tile_point FROM PUBLIC, gridmap_app;
GRANT SELECT ON tile_point TO gridmap_system;

-- A batch that becomes visible brings rows that were not counted when they came: its layers are counted anew.
CREATE OR REPLACE FUNCTION tile_note_batch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  IF NEW.visible_at IS NOT NULL AND OLD.visible_at IS NULL THEN
    INSERT INTO tile_layer (layer, wanted)
    VALUES (NEW.noun, 1)
    ON CONFLICT (layer) DO UPDATE SET wanted = tile_layer.wanted + 1;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER tile_batch AFTER UPDATE OF visible_at ON import_batch
FOR EACH ROW EXECUTE FUNCTION tile_note_batch();

-- A new share lets somebody see points they did not see; published areas change what is drawn.
CREATE OR REPLACE FUNCTION tile_note_touch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  INSERT INTO tile_delta (layer, n) VALUES (TG_ARGV[0], 0);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER tile_touch AFTER INSERT OR UPDATE OR DELETE ON share
FOR EACH STATEMENT EXECUTE FUNCTION tile_note_touch('incidents');
CREATE OR REPLACE TRIGGER tile_touch AFTER INSERT OR UPDATE OR DELETE ON area_version
FOR EACH STATEMENT EXECUTE FUNCTION tile_note_touch('areas');
CREATE OR REPLACE TRIGGER tile_touch AFTER INSERT OR UPDATE OR DELETE ON building
FOR EACH STATEMENT EXECUTE FUNCTION tile_note_touch('buildings');
