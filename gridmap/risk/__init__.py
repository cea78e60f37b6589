"""The engine of area risk: arrays in, arrays out. Places and times, never persons.

What other packages may import, by module; everything else is internal and may change (a test of the house's structure
reads this list):

    arrays      Floats, Ints, Bools                       kinds of arrays
    grid        Grid, Areas                               where: squares in local metres, and named areas over them
    events      Events, Precision, local_days             what happened, in local wall-clock days
    calendar    Calendar, DayGroup, NO_CALENDAR, day_number     kinds of days, given as data
    quality     find_default_places, find_repeats, find_default_times, find_changes     faults of the records
    surface     smooth, surface, against_exposure         kernel density on the ground, and per unit of exposure
    severity    severity_load                             a forecast in which severe incidents count for more
    bandwidth   choose_bandwidth                          the kernel's width by cross-validated likelihood
    models      MODEL_NAMES, SIMPLE_MODELS                the names a caller may ask for; which anybody could use
    choice      choose, Choice, Tuned                     which model did best on windows that are over
    forecast    forecast, Forecast, HORIZONS_D, THIN_EVENTS     expected counts with intervals, per cell and per area
    hours       hour_profile, HourProfile                 at which of the 168 hours of a plain week
    backtest    backtest, Report, TypeReport, Refused, Score, LEAST_EVENTS, scored_origins     replay of the past
    scoring     AREA_SHARES, score_window                 hits, PAI, PEI and log score of one window that came
    area_list   list_areas, AreaRisk, Trend               the risk list of one level
    patrols     propose_patrols, Proposed                 where to go, with a share outside the hot list
    suppress    suppress, Table, table_of_levels, LEAST   small numbers kept back

Units are in the names: `_m` metres in the grid's system, `_d` days since 1970-01-01 on the local wall clock.
Refusals are `gridmap.errors.Invalid` with a code that begins with "risk_".
"""
