-- A dispatch that holds a place of its call-out: on the job, done, or let go from the scene.
CREATE OR REPLACE FUNCTION takes_place(status text, end_reason text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT status IN ('accepted', 'en_route', 'on_scene', 'done') OR (status = 'cancelled' AND end_reason IS NOT DISTINCT FROM 'released') $$;

-- Who took the places of a call-out, told to whoever was asked too and came second: a call sign and a time, no more.
CREATE OR REPLACE FUNCTION callout_winners(callout uuid)
RETURNS TABLE (call_sign text, accepted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT u.call_sign, d.accepted_at
  FROM dispatch d JOIN unit u ON u.id = d.unit_id
  WHERE d.callout_id = callout AND takes_place(d.status, d.end_reason)
    AND EXISTS (SELECT FROM dispatch mine WHERE mine.callout_id = callout
                  AND (mine.unit_id = ANY (app_units())
                       OR EXISTS (SELECT FROM incident i WHERE i.id = mine.incident_id
                                    AND i.scope_path <@ ANY (app_paths('case_paths')))))
  ORDER BY d.accepted_at
$$;

-- How many places a call-out has, and how many are left: what a unit that is asked may know of it.
CREATE OR REPLACE FUNCTION callout_places(dispatches uuid[])
RETURNS TABLE (dispatch_id uuid, mode text, places bigint, places_left bigint, asked bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = gridmap, public, pg_temp AS
$$
  SELECT d.id, c.mode, n.places,
         greatest(0, n.places - (SELECT count(*) FROM dispatch t WHERE t.callout_id = c.id
                                   AND takes_place(t.status, t.end_reason))),
         (SELECT count(*) FROM dispatch t WHERE t.callout_id = c.id AND t.status = 'offered')
  FROM dispatch d
  JOIN callout c ON c.id = d.callout_id
  CROSS JOIN LATERAL (SELECT coalesce(sum((p ->> 'count')::int), 0)::bigint AS places
                      FROM jsonb_array_elements(c.need) p) n
  WHERE d.id = ANY (dispatches) AND d.unit_id = ANY (app_units())
$$;
