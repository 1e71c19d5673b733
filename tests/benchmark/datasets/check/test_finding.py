from benchmark.datasets.check.finding import Finding


def test_a_finding_is_one_line_of_what_was_seen_expected_and_to_be_done():
    assert str(Finding(check="queries", found=3)) == "queries: 3"
    whole = Finding(check="queries", found=3, expected=4, verdict="wrong", remedy="look again")
    assert str(whole) == "queries: 3, expected 4; look again"
