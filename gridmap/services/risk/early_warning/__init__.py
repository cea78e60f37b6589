"""Early warning: rules that are data, over live counts and the last forecast, become alarms with a known record.

    looking    whether a rule holds: arrays in, findings out, no database
    record     how often a rule would have rung over the past year, and how often in vain; kept by county
    counts     what a rule looks at: the incidents of its classes, and what the last run expects of these hours
    watch      once a minute every rule in every county: looking, record, alarm
    answering  what people do: see the rules, mute one, make an inspection of an alarm

A cluster warns where so many incidents lie within a circle and a span of days. A surge warns where an evening brings
so many times what the last forecast expects of its hours.
"""
