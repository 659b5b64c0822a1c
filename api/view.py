"""What one account may see: divisions within its grants, and nothing that tells that there are others.

A foreign division answers like one that does not exist (404); what may be seen but not done is refused (403).
"""

from collections.abc import Sequence
from http import HTTPStatus

from api.actions.errors import ActionError, ForbiddenError, NotLoggedInError
from api.problems import ProblemError, not_found
from api.standing import Snapshot, Standing
from inventory.divisions import Nodes
from ledger.accounts import Account, Role

_READERS = frozenset({
    Role.SYS_ADMIN, Role.NOC_OPERATOR, Role.NETWORK_ENGINEER, Role.REFORM_VIEWER, Role.TOWNSHIP_CLERK,
    Role.VILLAGE_AGENT,
})  # fmt: skip
"""Who reads coverage. Auditors read the audit chain, and security officers grant; neither needs villages."""


def refusal(error: ActionError) -> ProblemError:
    """What an action's refusal is over HTTP: 401 for nobody, 403 for somebody who may not, else 409."""
    if isinstance(error, NotLoggedInError):
        return ProblemError(HTTPStatus.UNAUTHORIZED, "not-logged-in", str(error))
    if isinstance(error, ForbiddenError):
        return ProblemError(HTTPStatus.FORBIDDEN, "forbidden", str(error))
    return ProblemError(HTTPStatus.CONFLICT, "refused", str(error))


class View:
    """A standing as one account sees it."""

    def __init__(self, standing: Standing, account: Account) -> None:
        self.standing = standing
        codes = {grant.division for grant in account.grants if grant.role in _READERS}
        self._codes = frozenset(codes)

    def spans(self, nodes: Nodes) -> list[tuple[int, int]]:
        """The intervals of the tree that may be seen, without overlap."""
        places = sorted(nodes.index[code] for code in self._codes if code in nodes.index)
        found: list[tuple[int, int]] = []
        for place in places:
            if not found or place >= found[-1][1]:
                found.append((place, nodes.ends[place]))
        return found

    def sees(self, nodes: Nodes, place: int) -> bool:
        return any(low <= place < high for low, high in self.spans(nodes))

    def node(self, code: str, snapshot: Snapshot | None = None) -> int:
        """The place of a division that may be seen, in the tree of the snapshot's day.

        Raises:
            ProblemError: 404, there is no such division for this account.
        """
        nodes = (snapshot or self.standing.snapshot).nodes
        try:
            place = nodes.find(code)
        except KeyError:
            raise not_found("division", code) from None
        if not self.sees(nodes, place):
            raise not_found("division", code)
        return place

    def site(self, id: str) -> int:
        """The position of a site that may be seen.

        Raises:
            ProblemError: 404, there is no such site for this account.
        """
        inventory = self.standing.inventory
        site = inventory.sites.index.get(id)
        if site is None or not self.sees(inventory.nodes, int(inventory.sites.nodes[site])):
            raise not_found("site", id)
        return site

    def codes(self, level: int, snapshot: Snapshot | None = None) -> Sequence[str]:
        """Codes of every division of a level that may be seen, in the order of the tree."""
        nodes = (snapshot or self.standing.snapshot).nodes
        return [
            nodes.codes[place]
            for low, high in self.spans(nodes)
            for place in range(low, high)
            if nodes.levels[place] == level
        ]

    def counted(self, denominator: str, snapshot: Snapshot | None = None) -> int:
        """How many subjects of a denominator may be seen."""
        snapshot = snapshot or self.standing.snapshot
        places = snapshot.subjects[denominator][0]
        return sum(int(((places >= low) & (places < high)).sum()) for low, high in self.spans(snapshot.nodes))
