-- The live feed's reader, and days of positions.

-- Rows after (after_xid, after_id), in that order, up to the oldest transaction that is still open: a row that commits
-- late has a transaction id at or above that mark, so it is never passed by.
CREATE OR REPLACE FUNCTION outbox_after(after_xid xid8, after_id bigint, most int)
RETURNS TABLE (xid text, id bigint, at timestamptz, topic text, body jsonb, path text, old_path text,
               incident_id uuid, restricted boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT o.xid::text, o.id, o.at, o.topic, o.body, o.path::text, o.old_path::text, o.incident_id, o.restricted
  FROM outbox o
  WHERE (o.xid, o.id) > (after_xid, after_id) AND o.xid < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY o.xid, o.id
  LIMIT most
$$;

-- Where a reader that starts now begins: everything that is settled lies behind it.
CREATE OR REPLACE FUNCTION outbox_mark() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT pg_snapshot_xmin(pg_current_snapshot())::text $$;

-- The oldest position a reader may still resume from.
CREATE OR REPLACE FUNCTION outbox_oldest() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$ SELECT (SELECT xid FROM outbox ORDER BY xid, id LIMIT 1)::text $$;

-- Who an incident is shared with, so that the feed can tell the assigned.
CREATE OR REPLACE FUNCTION feed_shares(incidents uuid[])
RETURNS TABLE (incident_id uuid, account_id uuid, unit_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT s.incident_id, s.account_id, s.unit_id FROM share s
  WHERE s.incident_id = ANY (incidents) AND (s.expires_at IS NULL OR s.expires_at > now())
$$;

-- Units that moved since `since`; the reader sends each to the scopes that hold its path.
CREATE OR REPLACE FUNCTION feed_units(since timestamptz)
RETURNS TABLE (unit_id uuid, path text, lon float8, lat float8, status text, fixed_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT l.unit_id, u.scope_path::text, ST_X(l.geom), ST_Y(l.geom), u.status, l.fixed_at, l.updated_at
  FROM unit_latest l JOIN unit u ON u.id = l.unit_id
  WHERE l.updated_at > since
$$;

CREATE OR REPLACE FUNCTION make_fix_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE name text := 'fix_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF to_regclass('gridmap.' || name) IS NULL THEN
    EXECUTE format('CREATE TABLE %I PARTITION OF fix FOR VALUES FROM (%L) TO (%L)',
                   name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY service ON %I TO gridmap_owner, gridmap_system USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO gridmap_system', name);
  END IF;
END $$;

-- Drops whole days before `first_kept`; positions leave with their day.
CREATE OR REPLACE FUNCTION drop_fix_partitions(first_kept date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
DECLARE part record; dropped int := 0;
BEGIN
  FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
              WHERE i.inhparent = 'gridmap.fix'::regclass AND c.relname < 'fix_' || to_char(first_kept, 'YYYYMMDD')
  LOOP
    EXECUTE format('DROP TABLE %I', part.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION make_fix_partition(date), drop_fix_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_fix_partition(date), drop_fix_partitions(date) TO gridmap_system;

-- What an earlier delivery of a message made, for a sender that may not read incidents.
CREATE OR REPLACE FUNCTION report_known(given_source text, given_ref text)
RETURNS TABLE (report_id uuid, incident_id uuid, number text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT r.id, r.incident_id, i.number FROM report r JOIN incident i ON i.id = r.incident_id
  WHERE r.source = given_source AND r.ref = given_ref AND app_can('case.report')
$$;

-- Whether each unit was on duty (and not on break) at the given time: for a gateway that has no sight of duties.
-- plpgsql keeps its plan for the session; a function in SQL would be planned anew at each request.
CREATE OR REPLACE FUNCTION duty_covers(units uuid[], times timestamptz[]) RETURNS boolean[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
BEGIN
  RETURN (
    SELECT coalesce(array_agg(EXISTS (
             SELECT FROM duty d JOIN unit u ON u.id = d.unit_id
             WHERE d.unit_id = asked.unit_id AND u.status <> 'break'
               AND d.started_at <= asked.at AND (d.ended_at IS NULL OR asked.at <= d.ended_at)) ORDER BY asked.no), '{}')
    FROM unnest(units, times) WITH ORDINALITY AS asked(unit_id, at, no));
END $$;
