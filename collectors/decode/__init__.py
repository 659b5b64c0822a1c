"""Raw SNMP values to readings, as the device's profile says.

`compile_profiles` turns the profile language into small closures once; `Survey` decides what a first poll asks and
reads what came; a `Plan` then decodes the steady polls by position. No sockets, no clock.
"""

from collectors.decode.compile import Compiled, compile_profiles
from collectors.decode.plan import Plan
from collectors.decode.survey import Survey, Surveyed

__all__ = ["Compiled", "Plan", "Survey", "Surveyed", "compile_profiles"]
