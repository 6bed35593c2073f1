"""Mutants that no test needs to kill, by name, with the reason.

Either they behave as the original does, or they differ in nothing that a user could
rely on, such as the speed of what is rare.
"""

JUDGED: dict[str, str] = {}
