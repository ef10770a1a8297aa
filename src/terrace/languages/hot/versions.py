"""The versions of HOT, and from which of them on a function may be used."""

from __future__ import annotations

VERSION_KEY = "heat_template_version"
FOREIGN_KEYS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "tosca_definitions_version")

VERSIONS = (
    "2013-05-23",
    "2014-10-16",
    "2015-04-30",
    "2015-10-15",
    "2016-04-08",
    "2016-10-14",
    "2017-02-24",
    "2017-09-01",
    "2018-03-02",
    "2018-08-31",
    "2021-04-16",
)
NAMES = {
    "newton": "2016-10-14",
    "ocata": "2017-02-24",
    "pike": "2017-09-01",
    "queens": "2018-03-02",
    "rocky": "2018-08-31",
    "wallaby": "2021-04-16",
}

# Functions of HOT that Terrace does not have yet, and since when they are no plain data.
LATER = {
    "resource_facade": "2013-05-23",
    "repeat": "2015-04-30",
    "digest": "2015-04-30",
    "str_split": "2015-10-15",
    "map_merge": "2016-04-08",
    "map_replace": "2016-10-14",
    "yaql": "2016-10-14",
    "if": "2016-10-14",
    "filter": "2017-02-24",
    "str_replace_strict": "2017-02-24",
    "str_replace_vstrict": "2017-09-01",
    "make_url": "2017-09-01",
    "list_concat": "2017-09-01",
    "list_concat_unique": "2017-09-01",
    "contains": "2017-09-01",
}
MULTIPLE_LISTS = "2015-10-15"
"""list_join takes several lists from here on."""
