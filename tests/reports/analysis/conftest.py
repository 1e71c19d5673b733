import pytest

from reports.analysis.groups import groups
from reports.read.results import collect


@pytest.fixture
def group(empty, fake):
    """Writes records and gives their only group."""

    def group(*records):
        for record in records:
            fake.write(empty, record)
        (found,) = groups(collect([empty]).frame)
        return found

    return group
