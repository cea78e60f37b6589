"""The demo district: a fictional Chinese county at true scale, drawn from a seed.

`generate.generate` writes it as the files that the import verbs take, with a `manifest.Manifest`. Everything in
it is invented and marked 演示; its division code begins with 9901, which is assigned to no place.
"""
