"""The platforms, each a table: a vendor is data."""

from collections.abc import Mapping

from rollout.platform import Platform
from rollout.rules import comware, frr, rgos, vrp
from rollout.rules.model import Rules

RULES: Mapping[Platform, Rules] = {
    Platform.VRP: vrp.RULES,
    Platform.COMWARE: comware.RULES,
    Platform.RGOS: rgos.RULES,
    Platform.FRR: frr.RULES,
}
