"""Planning by replay: a period's calls answered again under other rules, with other units, other borders."""
