"""The STE-NVAN repository's files: their network against ours after conversion."""

import pytest
import torch

import zoo
from tests.zoo.checkpoints.ste_nvan_file import released, theirs
from zoo.checkpoints.convert import convert, from_released
from zoo.checkpoints.released import RELEASED, ste_nvan


@pytest.mark.slow
@pytest.mark.parametrize("kind", ste_nvan.NETWORKS)
def test_a_converted_network_gives_the_authors_embeddings(kind, tmp_path):
    state = released(kind)
    torch.save(state, tmp_path / "theirs.pth")
    model = from_released(kind, tmp_path / "theirs.pth")
    clips = torch.randn(1, 4, 3, 256, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours, expected = model(clips).embedding, theirs(state, kind, clips)
    assert (ours - expected).norm() / expected.norm() < 1e-4
    with torch.no_grad():  # and the stem's activation is what makes the difference
        plain = zoo.create(kind)
        plain.load_state_dict(model.state_dict())
        assert (plain.eval()(clips).embedding - expected).norm() / expected.norm() > 2e-4


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("features.backbone.conv1.weight", "frames.conv1.weight"),
        ("features.backbone.layer2.1.bn3.bias", "frames.layer2.1.bn3.bias"),
        ("features.backbone.NL_2.1.g.weight", "non_local.stage2_block3.g.weight"),
        ("features.backbone.NL_3.2.W.1.running_var", "non_local.stage3_block5.norm.running_var"),
        ("features.backbone.NL_3.0.W.0.bias", "non_local.stage3_block3.out.bias"),
        ("bottleneck.weight", "head.neck.weight"),
        ("features.backbone.fc.weight", None),
        ("features.backbone.NL_4.0.g.weight", None),
        ("head.weight", None),
    ],
)
def test_each_of_their_names_has_one_of_ours_or_none(theirs, ours):
    assert ste_nvan.rename(theirs) == ours


def test_every_tensor_of_our_network_comes_from_one_of_theirs():
    state = released("nvan")
    expected = zoo.create(ste_nvan.NETWORKS["nvan"]).state_dict()
    found = convert(state, expected, ste_nvan)
    assert list(found.state) == list(expected)
    key = "frames.layer3.2.conv2.weight"
    assert torch.equal(found.state[key], state["module.features.backbone.layer3.2.conv2.weight"])
    assert found.dropped == (
        "module.classifier.weight: the classifier of the training identities; retrieval needs none",
    )


def test_each_network_is_listed_with_its_layout():
    assert all(RELEASED[name] is ste_nvan for name in ste_nvan.NETWORKS)
