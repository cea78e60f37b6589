-- What an account reported itself since a moment. To report gives no sight of the case, but a person may know what they
-- said and under which number it is kept.
CREATE OR REPLACE FUNCTION own_reports(since timestamptz)
RETURNS TABLE (report_id uuid, incident_id uuid, class_key text, number text, received_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT r.id, r.incident_id, r.class_key, i.number, r.received_at
  FROM report r JOIN incident i ON i.id = r.incident_id
  WHERE r.recorded_by = app_account() AND r.recorded_at >= since
  ORDER BY r.recorded_at DESC
  LIMIT 100
$$;

-- Where the case of an own report of the last day lies, for the pictures that belong to the report; null for any other.
CREATE OR REPLACE FUNCTION own_report_path(incident uuid) RETURNS ltree
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT i.scope_path
  FROM incident i
  WHERE i.id = incident
    AND EXISTS (SELECT FROM report r WHERE r.incident_id = i.id AND r.recorded_by = app_account()
                  AND r.recorded_at > app_now() - interval '1 day')
$$;
