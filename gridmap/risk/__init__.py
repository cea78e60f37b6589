"""The engine of area risk: arrays in, arrays out. Places and times, never persons.

What other packages may use, by module; everything else is internal and may change:

    arrays      Floats, Ints, Bools
    grid        Grid, Areas                              where: squares in local metres, and named areas over them
    events      Events, Precision, local_days            what happened, in local wall-clock days
    calendar    Calendar, DayGroup                       kinds of days, given as data
    quality     find_default_places, find_repeats, find_default_times, find_changes   faults of the records
    surface     smooth, surface, against_exposure
    bandwidth   choose_bandwidth
    forecast    forecast, Forecast, Counts               expected counts with intervals, per cell and per area
    models      MODEL_NAMES, SIMPLE_MODELS, describe     the names a caller may ask for
    backtest    backtest, Report, Score
    area_list   list_areas, AreaRisk, Trend
    suppress    suppress, Table

Units are in the names: `_m` metres in the grid's system, `_d` days since 1970-01-01 on the local wall clock.
Refusals are `gridmap.errors.Invalid` with a code that begins with "risk_".
"""
