"""The versions of HOT."""

from __future__ import annotations

VERSION_KEY = "heat_template_version"
FOREIGN_KEYS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "tosca_definitions_version")

ICEHOUSE = "2013-05-23"
JUNO = "2014-10-16"
KILO = "2015-04-30"
LIBERTY = "2015-10-15"
MITAKA = "2016-04-08"
NEWTON = "2016-10-14"
OCATA = "2017-02-24"
PIKE = "2017-09-01"
QUEENS = "2018-03-02"
ROCKY = "2018-08-31"
WALLABY = "2021-04-16"

VERSIONS = (ICEHOUSE, JUNO, KILO, LIBERTY, MITAKA, NEWTON, OCATA, PIKE, QUEENS, ROCKY, WALLABY)
NAMES = {
    "newton": NEWTON,
    "ocata": OCATA,
    "pike": PIKE,
    "queens": QUEENS,
    "rocky": ROCKY,
    "wallaby": WALLABY,
}

MULTIPLE_LISTS = LIBERTY
"""list_join takes several lists, and str_replace writes maps and lists as JSON, from here on."""
ALL_ATTRIBUTES = LIBERTY
"""get_attr without an attribute."""
CONDITIONS = NEWTON
"""The section conditions, and condition and external_id of resources."""
PERMUTATIONS = PIKE
"""repeat with permutations: false."""
ELISION = WALLABY
"""if with two arguments."""
