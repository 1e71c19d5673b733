import pytest

from reports.analysis.footnotes import common_notes, footnotes, legend, signs


def test_a_note_stands_at_the_method_that_it_is_about(group, fake):
    found = group(
        fake.record("a", notes=["no SE block", "data were rebuilt"]),
        fake.record("b", notes=["data were rebuilt"]),
        fake.record("c", notes=["no SE block", "data were rebuilt", "3 frames"]),
    )
    assert common_notes(found) == ["data were rebuilt"]
    assert signs(found) == {"a": "¹", "b": "", "c": "¹ ²"}
    assert legend(found) == ["¹ no SE block", "² 3 frames"]


def test_a_note_of_one_seed_stands_at_its_method(group, fake):
    records = [fake.record("a", seed, notes=["odd"] if seed else []) for seed in range(2)]
    assert signs(group(*records, fake.record("b"))) == {"a": "¹", "b": ""}


def test_a_method_that_did_not_converge_has_the_sign_after_its_notes(group, fake):
    found = group(fake.record("a", notes=["x"], score=0.8), fake.record("b"))
    rows = found.rows.assign(convergence=[("collapsed", "still rising"), ("still rising",)])
    marked = found._replace(rows=rows)
    assert signs(marked) == {"a": "¹ †", "b": "†"}
    assert footnotes(marked)[-1].words == (
        "not converged (a: collapsed, still rising; b: still rising)"
    )


@pytest.mark.parametrize(
    ("method", "backbone", "said"),
    [
        ("seresnet50_avg", "resnet50[channels=8]", "named after seresnet50, but built on"),
        ("resnet50_avg", "resnet18", "named after resnet50, but built on resnet18"),
        ("resnet50_avg[x=1]", "resnet50[channels=8]", ""),
        ("seresnet50_avg", "seresnet50", ""),
        ("resnet3d50_nl", "resnet50", ""),
        ("sta", "resnet18", ""),
    ],
)
def test_a_name_that_promises_another_backbone_has_a_footnote(group, fake, method, backbone, said):
    found = footnotes(group(fake.record(method, arguments={"backbone": backbone})))
    assert len(found) == bool(said) and all(note.words.startswith(said) for note in found)


def test_a_record_that_says_so_itself_is_not_contradicted(group, fake):
    note = "backbone=resnet50: no SE block, the same network as resnet50_avg"
    arguments = {"backbone": "resnet50"}
    found = group(fake.record("seresnet50_avg", arguments=arguments, notes=[note]), fake.record())
    assert [one.words for one in footnotes(found)] == [note]
