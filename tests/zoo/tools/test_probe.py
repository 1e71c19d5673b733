"""Networks made ready to be probed."""

import torch
from torch import nn

from zoo.tools.probe import prepare, random_clips, redraw_small, stir_norms


def test_clips_come_again():
    assert torch.equal(random_clips(1, 2, 3, 4, 4), random_clips(1, 2, 3, 4, 4))


def test_no_matrix_stays_at_zero_or_far_below_its_usual_size():
    layer = nn.Linear(100, 50)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    redraw_small(layer)
    assert layer.weight.std() > 0.4 and layer.bias.any()
    nn.init.normal_(layer.weight, std=0.001)
    redraw_small(layer)
    assert 0.09 < layer.weight.std() < 0.11


def test_a_scale_that_starts_next_to_zero_hides_nothing():
    scale, usual = nn.Module(), nn.LayerNorm(4)
    scale.gamma = nn.Parameter(torch.full((4,), 1e-6))
    for module in (scale, usual):
        redraw_small(module)
    assert scale.gamma.abs().max() > 0.01 and (usual.weight == 1).all()


def test_what_is_fixed_is_left_alone():
    norm = nn.BatchNorm1d(4)
    norm.bias.requires_grad_(False)
    redraw_small(norm)
    assert not norm.bias.any()


def test_no_norm_is_an_identity_after_stirring():
    norm = nn.BatchNorm2d(8)
    stir_norms(norm)
    assert norm.running_mean.all() and (norm.running_var != 1).all()


def test_a_model_is_prepared_as_training_does():
    class Work:
        def __init__(self):
            self.added, self.finished = [], False

        def add(self, clips, tracklets):
            self.added.append((clips, tracklets.tolist()))

        def finish(self):
            self.finished = True

    model, work, clips = nn.Identity(), Work(), torch.zeros(2, 1, 3, 4, 4)
    prepare(model, clips)
    model.preparation = lambda tracklets: work
    prepare(model, clips)
    assert work.finished and [rows for _, rows in work.added] == [[0, 1]]
