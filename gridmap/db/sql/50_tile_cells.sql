-- Where a point lies on the world's square, in whole numbers, and which cell of which tile that is.
-- The world's edge in Web Mercator is 2 * 20037508.342789244 m; x grows east, y grows south, both from the north-west.

CREATE OR REPLACE FUNCTION tile_x(point geometry) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT least(16777215, greatest(0, floor((ST_X(point) + 20037508.342789244) * (16777216 / 40075016.685578488))))::int $$;

CREATE OR REPLACE FUNCTION tile_y(point geometry) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT least(16777215, greatest(0, floor((20037508.342789244 - ST_Y(point)) * (16777216 / 40075016.685578488))))::int $$;

-- Months since January 2000, UTC.
CREATE OR REPLACE FUNCTION tile_month(at timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ((extract(year FROM at AT TIME ZONE 'UTC') - 2000) * 12 + extract(month FROM at AT TIME ZONE 'UTC') - 1)::smallint $$;

CREATE OR REPLACE FUNCTION tile_month_start(month int) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT make_timestamptz(2000 + month / 12, 1 + month % 12, 1, 0, 0, 0, 'UTC') $$;

-- All of PostgreSQL's bit operators bind alike, hence the parentheses. The low 9 bits of a number with a zero put before each: bit i moves to bit 2i.
CREATE OR REPLACE FUNCTION tile_spread(v int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$
  SELECT ((v & 1) | ((v & 2) << 1) | ((v & 4) << 2) | ((v & 8) << 3) | ((v & 16) << 4)
        | ((v & 32) << 5) | ((v & 64) << 6) | ((v & 128) << 7) | ((v & 256) << 8))::bigint
$$;

-- The Morton number of (x, y), 18 bits each: y's bits stand before x's. A square of 2^k by 2^k cells that starts at a
-- multiple of 2^k is one range of 4^k numbers, so a tile is one range of its cells.
CREATE OR REPLACE FUNCTION tile_morton(x int, y int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT tile_spread(x & 511) | (tile_spread(x >> 9) << 18) | (tile_spread(y & 511) << 1) | (tile_spread(y >> 9) << 19) $$;

-- Scope roots of one kind without those that another root holds, so that nothing is counted twice.
CREATE OR REPLACE FUNCTION app_roots(kind text) RETURNS public.ltree[]
LANGUAGE sql STABLE AS
$$
  SELECT coalesce(array_agg(DISTINCT r), '{}') FROM unnest(app_paths(kind)) AS r
  WHERE NOT EXISTS (SELECT FROM unnest(app_paths(kind)) AS o WHERE o <> r AND o OPERATOR(public.@>) r)
$$;
