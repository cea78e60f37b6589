-- What the live feed's reader needs beside the rows: who else may hear, which streams are still good, which history
-- this is.

-- Which history the positions of the feed belong to: a restored or copied database has another one.
CREATE OR REPLACE FUNCTION feed_epoch() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT left(md5((SELECT system_identifier FROM pg_control_system())::text || ':' || d.oid::text), 12)
  FROM pg_database d WHERE d.datname = current_database()
$$;

-- Where a reader begins that wants the last seconds too: the row before the first that is young enough.
CREATE OR REPLACE FUNCTION outbox_start(seconds int, most int)
RETURNS TABLE (xid text, id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT x.xid::text, x.id - 1 FROM (
    SELECT o.xid, o.id FROM outbox o
    WHERE o.at > clock_timestamp() - make_interval(secs => seconds)
      AND o.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY o.xid DESC, o.id DESC LIMIT most) AS x
  ORDER BY x.xid, x.id LIMIT 1
$$;

-- Per incident whether it is restricted, and who sees it by a recorded act. Shares that lapsed within the last minute
-- are told apart, so that a screen learns what it lost.
CREATE OR REPLACE FUNCTION feed_audience(incidents uuid[], at_time timestamptz)
RETURNS TABLE (incident_id uuid, restricted boolean, account_id uuid, unit_id uuid, area_path text, lapsed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT i.id, i.restricted, s.account_id, s.unit_id, s.area_path::text, coalesce(s.expires_at <= at_time, false)
  FROM incident i
  LEFT JOIN share s ON s.incident_id = i.id AND (s.expires_at IS NULL OR s.expires_at > at_time - interval '1 minute')
  WHERE i.id = ANY (incidents)
$$;

-- The sessions and tokens that are still good, each with a digest of what it reaches: a stream whose digest changed is
-- closed, and its next request gets the new reach.
CREATE OR REPLACE FUNCTION feed_callers(sessions uuid[], tokens uuid[], at_time timestamptz)
RETURNS TABLE (id uuid, reach text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT s.id, md5(auth_grants(a.id, at_time)::text || auth_units(a.person_id, at_time)::text)
  FROM account_session s JOIN account a ON a.id = s.account_id
  WHERE s.id = ANY (sessions) AND s.revoked_at IS NULL AND s.expires_at > at_time AND a.status = 'active'
  UNION ALL
  SELECT k.id, md5(coalesce(v.path::text, '') || coalesce(d.unit_id::text, ''))
  FROM api_token k
  LEFT JOIN device d ON d.id = k.device_id
  LEFT JOIN area_version v ON v.area_id = k.area_id AND v.valid @> at_time
  WHERE k.id = ANY (tokens) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > at_time)
$$;
