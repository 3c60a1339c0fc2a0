"""Whether each source still gives what it should: pure functions from the runs of a source to its state.

`history` has the values, `workdays` the days on which a source may rest, `rhythm` the usual pauses of a source,
`judging` the state of a source with its evidence, `incidents` what is raised and what has recovered.
"""
