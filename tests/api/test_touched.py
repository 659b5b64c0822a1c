"""An answer about a division holds until something beneath it changes."""

import random

from api.touched import Touched
from inventory.model import Inventory


def test_what_changes_at_a_place_is_told_of_it_and_of_every_division_above_and_of_no_other(example: Inventory) -> None:
    chance, nodes = random.Random(1), example.nodes
    touched = Touched(nodes)
    newest = [0] * len(nodes)
    for number in range(1, 40):
        places = chance.sample(range(len(nodes)), 3)
        touched.mark(number, places)
        for place in places:
            for at in (place, *nodes.ancestors(place)):
                newest[at] = number
        for place in range(len(nodes)):
            assert touched.holds(place, newest[place])
            assert not touched.holds(place, newest[place] - 1)
    touched.mark_all(40)
    assert not any(touched.holds(place, 39) for place in range(len(nodes)))
