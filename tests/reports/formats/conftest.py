import pytest

from reports.read.results import collect
from tests.reports.rendered import render


@pytest.fixture
def report(empty, fake):
    """Writes records and renders the report on them."""

    def report(*records):
        for record in records:
            fake.write(empty, record)
        return render(collect([empty]))

    return report
