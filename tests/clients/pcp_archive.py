"""Writes an archive of the Performance Co-Pilot with known values: pcp_archive.py PATH START_S COUNT.

Runs in Debian's own Python, which has the module `pcp`.
"""

import sys

import cpmapi
from pcp import pmi


def main(path, start_s, count):
    """`count` samples, one a second: a gauge, and a counter of two disks."""
    log = pmi.pmiLogImport(path)
    log.pmiSetHostname("north")
    log.pmiSetTimezone("UTC")
    none = log.pmiUnits(0, 0, 0, 0, 0, 0)
    disks = log.pmiInDom(60, 2)
    log.pmiAddMetric("demo.load_1", log.pmiID(60, 1, 0), cpmapi.PM_TYPE_DOUBLE,
                     cpmapi.PM_INDOM_NULL, cpmapi.PM_SEM_INSTANT, none)
    log.pmiAddMetric("demo.disk.bytes", log.pmiID(60, 2, 0), cpmapi.PM_TYPE_U64, disks,
                     cpmapi.PM_SEM_INSTANT, none)
    log.pmiAddMetric("words.name", log.pmiID(60, 3, 0), cpmapi.PM_TYPE_STRING,
                     cpmapi.PM_INDOM_NULL, cpmapi.PM_SEM_DISCRETE, none)
    for number, name in enumerate(("sda", "sd b/1")):
        log.pmiAddInstance(disks, name, number)
    for i in range(count):
        log.pmiPutValue("demo.load_1", "", str(0.25 * i))
        log.pmiPutValue("demo.disk.bytes", "sda", str(2**40 + i))
        log.pmiPutValue("demo.disk.bytes", "sd b/1", str(i))
        log.pmiPutValue("words.name", "", "two words")
        log.pmiWrite(start_s + i, 0)
    log.pmiEnd()


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
