"""Which training identities are held out to validate on, and which of their tracklets are queries.

Nothing here depends on the order in which tracklets come.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.datasets.base import Tracklet


def assign_folds(tracklets: Iterable["Tracklet"], folds: int, seed: int) -> dict[int, int]:
    """``{pid: fold}``: persons of as many cameras are shared out evenly, and so are all together.

    Args:
        tracklets: to train on.
        folds: how many there are, numbered from 0.
        seed: sets the order in which persons of as many cameras are dealt.
    """
    cameras: dict[int, set[int]] = defaultdict(set)
    for tracklet in tracklets:
        cameras[tracklet.pid].add(tracklet.camid)

    def key(pid: int) -> tuple[int, str]:
        return len(cameras[pid]), hashlib.sha256(f"{seed} {pid}".encode()).hexdigest()

    return {pid: place % folds for place, pid in enumerate(sorted(cameras, key=key))}


def choose_queries(tracklets: Sequence["Tracklet"], *, cameras: bool) -> tuple[int, ...]:
    """Rows that are queries, ascending; each of them has a match that is none.

    One for each person and camera, in the order of the cameras, as long as every query of that
    person still has a match in another camera among the tracklets that are no queries. Without
    cameras it is one for each person who has two tracklets.

    Args:
        tracklets: of the persons who are held out.
        cameras: False where cameras are not known.
    """
    seen: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    order = sorted(range(len(tracklets)), key=lambda i: (tracklets[i].folder, tracklets[i].frames))
    for row in order:
        seen[tracklets[row].pid][tracklets[row].camid].append(row)
    queries = []
    for by_camera in seen.values():
        if not cameras:
            queries += [rows[0] for rows in by_camera.values() if len(rows) > 1]
            continue
        left = {camera: len(by_camera[camera]) for camera in sorted(by_camera)}
        asked: list[int] = []  # cameras that have a query
        for camera in left:
            left[camera] -= 1
            if _all_matched([*asked, camera], left):
                asked.append(camera)
                queries.append(by_camera[camera][0])
            else:
                left[camera] += 1
    return tuple(sorted(queries))


def _all_matched(asked: Sequence[int], left: dict[int, int]) -> bool:
    """True if each of the cameras finds a tracklet that is no query in another camera."""
    total = sum(left.values())
    return all(total > left[camera] for camera in asked)
