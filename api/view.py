"""What one account may see: divisions within its grants, and nothing that tells that there are others.

A foreign division answers like one that does not exist (404); what may be seen but not done is refused (403).
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

from api.actions.accounts import TooManyTriesError
from api.actions.errors import ActionError, ForbiddenError, NotLoggedInError
from api.problems import ProblemError, not_found, refused
from api.standing import Snapshot, Standing
from inventory.divisions import Nodes
from ledger.accounts import Account, Role

_READERS: Final = frozenset({
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
    if isinstance(error, TooManyTriesError):
        headers = {"Retry-After": str(int(error.seconds) + 1)}
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-tries", str(error), headers)
    return ProblemError(HTTPStatus.CONFLICT, "refused", str(error))


class View:
    """A standing as one account sees it.

    Args:
        account: whose view it is; None where nobody is logged in, who then sees the whole tree (what of it, the
            routers decide: everything where reading is open, else what may be published).
        public: only what may be published is shown: no devices, addresses, people, tasks or evidence.
    """

    def __init__(self, standing: Standing, account: Account | None, public: bool = False) -> None:
        self.standing = standing
        self.account = account
        self.public = public
        grants = () if account is None else account.grants
        self._codes = frozenset(grant.division for grant in grants if grant.role in _READERS)
        self._spans: tuple[Nodes, list[tuple[int, int]]] | None = None

    def spans(self, nodes: Nodes) -> list[tuple[int, int]]:
        """The intervals of the tree that may be seen, without overlap."""
        if self._spans is not None and self._spans[0] is nodes:
            return self._spans[1]
        if self.account is None:
            places = [0]
        else:
            places = sorted(nodes.index[code] for code in self._codes if code in nodes.index)
        found: list[tuple[int, int]] = []
        for place in places:
            if not found or place >= found[-1][1]:
                found.append((place, nodes.ends[place]))
        self._spans = nodes, found
        return found

    @property
    def whole(self) -> bool:
        """Whether nothing is hidden: what speaks of the whole deployment may be shown."""
        nodes = self.standing.inventory.nodes
        return self.spans(nodes) == [(0, len(nodes))]

    def sees(self, nodes: Nodes, place: int) -> bool:
        return any(low <= place < high for low, high in self.spans(nodes))

    def node(self, code: str, snapshot: Snapshot | None = None) -> int:
        """The place of a division that may be seen, in the tree of the snapshot's day.

        Raises:
            ProblemError: 404, there is no such division for this account.
        """
        return self.node_in((snapshot or self.standing.snapshot).nodes, code)

    def node_in(self, nodes: Nodes, code: str) -> int:
        """The place of a division that may be seen, in the tree of some day; raises as `node` does."""
        try:
            place = nodes.find(code)
        except KeyError:
            raise not_found("division", code) from None
        if not self.sees(nodes, place):
            raise not_found("division", code)
        return place

    def one(self, code: str | None) -> int:
        """The place of the division that is meant: of the code, or the only one that the account was granted.

        Raises:
            ProblemError: 404 for a foreign one; 422 where several were granted and none is named.
        """
        nodes = self.standing.inventory.nodes
        if code is not None:
            return self.node_in(nodes, code)
        spans = self.spans(nodes)
        if not spans:
            raise not_found("division", "")
        if len(spans) > 1:
            names = ", ".join(nodes.codes[low] for low, _ in spans)
            raise refused(f"Name one division: {names}.")
        return spans[0][0]

    def site(self, id: str) -> int:
        """The position of a site that may be seen.

        Raises:
            ProblemError: 404, there is no such site for this account.
        """
        site = self.standing.inventory.sites.index.get(id)
        if site is None or not self.sees_site(site):
            raise not_found("site", id)
        return site

    def sees_site(self, site: int) -> bool:
        inventory = self.standing.inventory
        return self.sees(inventory.nodes, int(inventory.sites.nodes[site]))

    def sees_id(self, id: str) -> bool:
        """Whether a site of this id may be seen; one that left the inventory only by who sees everything."""
        site = self.standing.inventory.sites.index.get(id)
        return self.whole if site is None else self.sees_site(site)

    def sees_code(self, code: str) -> bool:
        """Whether a division of today by its 12 digits may be seen; a former one only by who sees everything."""
        place = self.standing.inventory.nodes.index.get(code)
        return self.whole if place is None else self.sees(self.standing.inventory.nodes, place)

    def target(self, target: str) -> None:
        """Let through a site's id or a division's code that may be seen.

        Raises:
            ProblemError: 404.
        """
        if target in self.standing.inventory.sites.index:
            self.site(target)
        else:
            self.node_in(self.standing.inventory.nodes, target)

    def seen_ids(self, ids: Iterable[str]) -> list[str]:
        """Of some sites' ids those that may be seen."""
        return [id for id in ids if self.sees_id(id)]

    def site_spans(self, code: str | None = None) -> list[tuple[int, int]]:
        """Positions ``[first, last)`` of the sites that may be seen, of one division or of all."""
        inventory = self.standing.inventory
        places = [low for low, _ in self.spans(inventory.nodes)] if code is None else [self.one(code)]
        return [inventory.sites.span(place) for place in places]

    def roots(self) -> list[int]:
        """The places of the divisions that were granted, in the order of the tree."""
        return [low for low, _ in self.spans(self.standing.inventory.nodes)]

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
