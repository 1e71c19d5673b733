from collections import Counter

import pytest

from benchmark.datasets.synthetic.people import LOWER, UPPER, people


@pytest.mark.parametrize("count", [3, 7, 12, 120, 301])
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_pair_of_colours_is_worn_by_three(part, count):
    worn = Counter(person.colours for person in people(5, part, count))
    assert min(worn.values()) >= 3


def test_people_in_the_same_colours_differ_in_what_they_wear():
    looks = [
        (p.colours, p.pattern, p.bag, p.cut, p.hat, p.hairstyle) for p in people(0, "test", 120)
    ]
    assert len(set(looks)) == 120


def test_a_person_has_the_colours_of_these_names():
    for person in people(0, "test", 5):
        assert person.upper == UPPER[person.colours[0]]
        assert person.lower == LOWER[person.colours[1]]


def test_the_same_seed_is_the_same_crowd_and_another_part_another():
    assert people(3, "test", 7) == people(3, "test", 7)
    assert people(3, "test", 7) != people(4, "test", 7)
    assert not set(people(3, "test", 20)) & set(people(3, "train", 20))
