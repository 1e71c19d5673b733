from reports.figures import inspected as inspections
from reports.figures.pictures import GENERATED
from reports.read import inspection
from reports.read.results import collect


def test_inspected_queries_are_read_with_their_pictures_and_a_broken_one_is_named(
    empty, fake, inspected
):
    run = fake.write(empty, fake.record())
    inspection.save(inspected, run / "inspect" / "open@1_cos-bn_even4")
    (run / "inspect" / "open@1_cos-bn_even4" / "query-00099.json").write_text("{")
    found, problems = inspections.read(collect([empty]))
    assert [one.query for _, one in found] == [12]
    (problem,) = problems
    assert "query-00099.json is no inspection" in problem and str(empty) not in problem
    made = inspections.pictures(found)
    assert len(made) == 3
    for one in made:
        assert GENERATED.fullmatch(one.picture.file) and one.picture.section == "inspected"
        assert one.source.parent == run / "inspect" / "open@1_cos-bn_even4"
    assert [one.source.name for one in made][1:] == [
        "query-00012-attention-0.png",
        "query-00012-attention-2.png",
    ]


def test_a_report_shows_at_most_so_many(empty, fake, inspected, monkeypatch):
    run = fake.write(empty, fake.record())
    for label in "abc":
        inspection.save(inspected, run / "inspect" / label)
    monkeypatch.setattr(inspections, "MOST", 2)
    assert len(inspections.read(collect([empty]))[0]) == 2
