"""hier_config's opinion of a plan: whether it, too, finds nothing left to say between prediction and intention.

Our tables know what a platform's lines mean, hier_config only what stands under what. So it is shown every line in
the one form that comparison uses, and only the sections that are not written alike.
"""

from functools import cache

from hier_config.child import HConfigChild
from hier_config.platforms.driver_base import HConfigDriverBase, HConfigDriverRules
from hier_config.root import HConfig

from rollout.difference import Difference, Owned
from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Mode, Rules
from rollout.tree import Item, Items, is_section


class _Driver(HConfigDriverBase):
    """Our tables as hier_config sees them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        super().__init__()

    @property
    def negation_prefix(self) -> str:
        return f"{self._rules.negation} "

    @staticmethod
    def _instantiate_rules() -> HConfigDriverRules:
        return HConfigDriverRules()


@cache
def driver(platform: Platform) -> HConfigDriverBase:
    """hier_config's driver of a platform."""
    return _Driver(RULES[platform])


def still_to_say(difference: Difference, predicted: Items, target: Items, owned: Owned) -> str | None:
    """The first line that hier_config would still send to a device that shows what was predicted; None if none."""
    mine, wanted = HConfig(driver(difference.platform)), HConfig(driver(difference.platform))
    alike = {key for key, item in target.items() if key in predicted and predicted[key].identical(item)}
    for key, item in target.items():
        if key not in alike and item.items is not None and not item.negative:
            _grow(mine, predicted.get(key), difference, "")
            _grow(wanted, item, difference, "")
    for key, item in predicted.items():
        if key not in alike and not is_section(item) and owned(key, item):
            _grow(mine, item, difference, "")
    for key, item in target.items():
        if key not in alike and not is_section(item):
            _grow(wanted, item, difference, "")
    left = mine.config_to_get_to(wanted)
    return next((child.text for child in left.all_children()), None)


def _grow(parent: HConfig | HConfigChild, item: Item | None, difference: Difference, kind: str) -> None:
    """An item as hier_config's lines, in the one form that comparison uses; what is no difference stays out."""
    if item is None or item.negative or difference.is_default(kind, item) or "<secret>" in item.value:
        return
    if item.meaning.line is not None and (
        item.meaning.line.readonly or item.meaning.line.stays or item.text == item.meaning.object
    ):
        return
    if item.mode is Mode.SET:
        for member in item.members:
            parent.add_child(f"{item.key} {member}", return_if_present=True)
        return
    child = parent.add_child(item.value.replace("\n", " "), return_if_present=True)
    for inner in (item.items or {}).values():
        _grow(child, inner, difference, item.kind)
    if item.items is not None and not child.children and not difference.removable(item):
        child.delete()  # an empty section that cannot be deleted is as good as none
